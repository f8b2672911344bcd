//! Colours, or none.

/// How text is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// The terminal's sixteen colours, so that its own theme decides how they look.
    Colours,
    /// No escape sequences at all.
    Plain,
}

impl Paint {
    fn with(self, code: &str, text: &str) -> String {
        match self {
            Self::Colours if !text.is_empty() => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            Self::Colours | Self::Plain => text.to_owned(),
        }
    }

    /// What matters most.
    #[must_use]
    pub fn strong(self, text: &str) -> String {
        self.with("1", text)
    }

    /// What may be passed over.
    #[must_use]
    pub fn faint(self, text: &str) -> String {
        self.with("2", text)
    }

    /// What is right.
    #[must_use]
    pub fn good(self, text: &str) -> String {
        self.with("32", text)
    }

    /// What someone should look at.
    #[must_use]
    pub fn odd(self, text: &str) -> String {
        self.with("33", text)
    }

    /// What is wrong.
    #[must_use]
    pub fn bad(self, text: &str) -> String {
        self.with("1;31", text)
    }

    /// What can be typed or opened.
    #[must_use]
    pub fn link(self, text: &str) -> String {
        self.with("36", text)
    }
}

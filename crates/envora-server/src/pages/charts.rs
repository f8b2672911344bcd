//! Charts drawn by the server as SVG, in whole numbers only.
//!
//! Every chart is an image with a title and a description; the page puts the same numbers beside it
//! as a table. Places are per cent with three digits, so a chart keeps its text size at any width.
//! Colours come from the style sheet and patterns from [`patterns`]; nothing here styles inline,
//! because the content policy of the pages refuses that.

use core::fmt::Write as _;

use envora_domain::decimal::Mass;

/// What a part of a bar stands for: gives its colour and its pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// Scope 1: plain.
    Scope1,
    /// Scope 2: hatched.
    Scope2,
    /// Scope 3: dotted.
    Scope3,
}

impl Tone {
    /// The class and the pattern's name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Scope1 => "s1",
            Self::Scope2 => "s2",
            Self::Scope3 => "s3",
        }
    }

    const fn fill(self) -> &'static str {
        match self {
            Self::Scope1 => "",
            Self::Scope2 => " fill=\"url(#pattern-s2)\"",
            Self::Scope3 => " fill=\"url(#pattern-s3)\"",
        }
    }
}

/// One part of a bar.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    /// What it stands for.
    pub(super) tone: Tone,
    /// How much; below zero is drawn as nothing and told in words.
    pub(super) mass: Mass,
}

/// What is read out in place of a chart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caption<'a> {
    /// Unique in the page: letters, digits and `-`.
    pub(super) id: &'a str,
    /// What it is.
    pub(super) title: &'a str,
    /// What it shows.
    pub(super) description: &'a str,
}

/// Height of the drawing area of [`columns`], in pixels.
const COLUMNS_HEIGHT: i128 = 260;
/// Room above the columns for the topmost label.
const COLUMNS_TOP: i128 = 20;

/// The patterns that all charts of a page share; stands once in each page.
pub(super) fn patterns() -> &'static str {
    concat!(
        r#"<svg class="patterns" width="0" height="0" aria-hidden="true" focusable="false"><defs>"#,
        r#"<pattern id="pattern-s2" width="6" height="6" patternUnits="userSpaceOnUse">"#,
        r#"<rect class="s2" width="6" height="6"/><path class="grain" d="M-1 1l2-2M0 6l6-6M5 7l2-2"/></pattern>"#,
        r#"<pattern id="pattern-s3" width="6" height="6" patternUnits="userSpaceOnUse">"#,
        r#"<rect class="s3" width="6" height="6"/><circle class="grain-dot" cx="3" cy="3" r="1.1"/></pattern>"#,
        "</defs></svg>"
    )
}

/// A small square in a tone, for legends.
pub(super) fn swatch(tone: Tone) -> String {
    format!(
        r#"<svg class="swatch" width="14" height="14" aria-hidden="true" focusable="false"><rect class="{}" width="14" height="14" rx="3"{}/></svg>"#,
        tone.name(),
        tone.fill()
    )
}

/// One bar lying down, its parts side by side; `whole` is what the full width stands for.
pub(super) fn strip(caption: Caption<'_>, parts: &[Part], whole: Mass) -> String {
    let mut svg = opening(caption, "strip", "100%", "14");
    svg.push_str(r#"<rect class="rail" width="100%" height="14" rx="2"/>"#);
    let mut reached = Mass::ZERO;
    for part in parts.iter().filter(|part| part.mass > Mass::ZERO) {
        let start = share(reached, whole);
        reached += part.mass;
        let width = (share(reached, whole) - start).max(200);
        let _infallible = write!(
            svg,
            r#"<rect class="{}" x="{}" width="{}" height="14"{}/>"#,
            part.tone.name(),
            percent(start),
            percent(width),
            part.tone.fill()
        );
    }
    svg.push_str("</svg>");
    svg
}

/// A bar that fills up: `present` of `expected`.
pub(super) fn meter(caption: Caption<'_>, present: u64, expected: u64) -> String {
    let mut svg = opening(caption, "strip", "100%", "14");
    let filled =
        if expected == 0 { 0 } else { i128::from(present) * 100_000 / i128::from(expected) };
    let _infallible = write!(
        svg,
        r#"<rect class="rail" width="100%" height="14" rx="2"/><rect class="filled" width="{}" height="14" rx="2"/></svg>"#,
        percent(filled.clamp(0, 100_000))
    );
    svg
}

/// Standing bars side by side over one scale, each of several parts; the first slot holds the scale.
pub(super) fn columns(caption: Caption<'_>, bars: &[Vec<Part>]) -> String {
    let sums =
        bars.iter().map(|parts| parts.iter().map(|part| part.mass.max(Mass::ZERO)).sum::<Mass>());
    let step = scale_step(sums.max().unwrap_or(Mass::ZERO));
    let height = COLUMNS_TOP + COLUMNS_HEIGHT + 1;
    let mut svg = opening(caption, "columns", "100%", &height.to_string());
    gridlines(&mut svg, step);
    let slot = 100_000 / (i128::try_from(bars.len()).unwrap_or(1) + 1);
    let mut left = slot;
    for parts in bars {
        column(&mut svg, parts, step, (left + slot * 14 / 100, slot * 72 / 100));
        above(&mut svg, parts, step, left + slot / 2);
        left += slot;
    }
    svg.push_str("</svg>");
    svg
}

/// How many gridlines a scale has above zero.
const GRIDLINES: i128 = 4;

fn gridlines(svg: &mut String, step: i128) {
    for line in 0..=GRIDLINES {
        let y = COLUMNS_TOP + COLUMNS_HEIGHT - COLUMNS_HEIGHT * line / GRIDLINES;
        let class = if line == 0 { "base" } else { "grid" };
        let label = tonnes_label(Mass::from_units(step * line));
        let unit = if line == GRIDLINES { " t" } else { "" };
        let _infallible = write!(
            svg,
            r#"<line class="{class}" x1="0" x2="100%" y1="{y}.5" y2="{y}.5"/><text class="tick" x="0" y="{}">{label}{unit}</text>"#,
            y - 5
        );
    }
}

/// What a column comes to, above it; the style sheet leaves it out where columns are too narrow.
fn above(svg: &mut String, parts: &[Part], step: i128, middle: i128) {
    let sum: Mass = parts.iter().map(|part| part.mass.max(Mass::ZERO)).sum();
    if sum > Mass::ZERO {
        let _infallible = write!(
            svg,
            r#"<text class="value" x="{}" y="{}" text-anchor="middle">{}</text>"#,
            percent(middle),
            COLUMNS_TOP + COLUMNS_HEIGHT - pixels(sum, step) - 6,
            short_tonnes(sum)
        );
    }
}

/// Tonnes with the digits that have room above a column: `438`, `41`, `7.2`, `0.30`.
fn short_tonnes(mass: Mass) -> String {
    let wholes = mass.units() / 1_000_000_000_000_000;
    mass.tonnes(match wholes {
        10.. => 0,
        1..10 => 1,
        _ => 2,
    })
}

fn pixels(mass: Mass, step: i128) -> i128 {
    mass.units() * COLUMNS_HEIGHT / (step * GRIDLINES).max(1)
}

fn column(svg: &mut String, parts: &[Part], step: i128, (x, width): (i128, i128)) {
    let mut reached = Mass::ZERO;
    for part in parts.iter().filter(|part| part.mass > Mass::ZERO) {
        let from = pixels(reached, step);
        reached += part.mass;
        let to = pixels(reached, step);
        let _infallible = write!(
            svg,
            r#"<rect class="{}" x="{}" y="{}" width="{}" height="{}"{}/>"#,
            part.tone.name(),
            percent(x),
            COLUMNS_TOP + COLUMNS_HEIGHT - to,
            percent(width),
            to - from,
            part.tone.fill()
        );
    }
}

/// The smallest round step, in tenths of a power of ten, with which the gridlines reach `most`.
fn scale_step(most: Mass) -> i128 {
    let mut power = 1_000_000_000_000_i128;
    loop {
        for tenths in [10, 15, 20, 25, 30, 40, 50, 75] {
            let step = power / 10 * tenths;
            if step * GRIDLINES >= most.units() {
                return step;
            }
        }
        match power.checked_mul(10) {
            Some(next) if next < i128::MAX / 50 => power = next,
            _ => return power,
        }
    }
}

fn tonnes_label(mass: Mass) -> String {
    let text = mass.tonnes(3);
    match text.split_once('.') {
        Some((whole, fraction)) => {
            let fraction = fraction.trim_end_matches('0');
            if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
        }
        None => text,
    }
}

/// The way from a leaf up to the root, as an inclusion proof walks it: one row of nodes per level.
pub(super) fn proof_path(caption: Caption<'_>, sides: &[Side]) -> String {
    let levels = i128::try_from(sides.len()).unwrap_or(0);
    let (row, half) = (30_i128, 16_i128);
    let height = levels * row + 2 * half;
    let mut svg = opening(caption, "proof", "120", &height.to_string());
    let mut y = height - half;
    for side in sides {
        let above = y - row;
        let sibling = match side {
            Side::Left => 24,
            Side::Right => 96,
        };
        let _infallible = write!(
            svg,
            r#"<path class="edge" d="M60 {y}V{above}M{sibling} {y}L60 {above}"/><circle class="given" cx="{sibling}" cy="{y}" r="5"/>"#
        );
        y = above;
    }
    let mut y = height - half;
    for place in 0..=sides.len() {
        let class = if place == 0 || place == sides.len() { "end" } else { "computed" };
        let _infallible = write!(svg, r#"<circle class="{class}" cx="60" cy="{y}" r="6"/>"#);
        y -= row;
    }
    svg.push_str("</svg>");
    svg
}

/// On which side the hash stands that a proof gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// It is hashed before ours.
    Left,
    /// It is hashed after ours.
    Right,
}

fn opening(caption: Caption<'_>, class: &str, width: &str, height: &str) -> String {
    let Caption { id, title, description } = caption;
    format!(
        r#"<svg class="{class}" id="{id}" width="{width}" height="{height}" role="img" aria-labelledby="{id}-title {id}-about" focusable="false"><title id="{id}-title">{}</title><desc id="{id}-about">{}</desc>"#,
        escape(title),
        escape(description)
    )
}

/// `mass` of `whole` in thousandths of a per cent, 0 to 100,000.
fn share(mass: Mass, whole: Mass) -> i128 {
    if whole <= Mass::ZERO {
        return 0;
    }
    let (mass, whole) = (mass.units().clamp(0, whole.units()), whole.units());
    mass.checked_mul(100_000).map_or_else(|| mass / (whole / 100_000).max(1), |wide| wide / whole)
}

fn percent(thousandths: i128) -> String {
    format!("{}.{:03}%", thousandths / 1000, thousandths % 1000)
}

fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, letter| {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPTION: Caption<'_> = Caption { id: "c", title: "A & B", description: "two <parts>" };

    fn drawn(name: &str, svg: &str) {
        insta::with_settings!({ prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(name, svg.replace("><", ">\n<"));
        });
    }

    fn kg(text: &str) -> Mass {
        Mass::parse_kg(text).expect("a mass")
    }

    fn parts(one: &str, two: &str, three: &str) -> Vec<Part> {
        [(Tone::Scope1, one), (Tone::Scope2, two), (Tone::Scope3, three)]
            .map(|(tone, text)| Part { tone, mass: kg(text) })
            .to_vec()
    }

    #[test]
    fn a_strip_has_no_gaps_and_says_what_it_shows() {
        drawn("strip", &strip(CAPTION, &parts("1", "1", "1"), kg("3")));
    }

    #[test]
    fn columns_stand_on_one_scale() {
        let bars = [parts("197000", "2000", "1000"), parts("0", "100000", "0"), Vec::new()];
        drawn("columns", &columns(CAPTION, &bars));
    }

    #[test]
    fn a_proof_is_drawn_from_the_leaf_up() {
        drawn("proof", &proof_path(CAPTION, &[Side::Left, Side::Right]));
    }

    #[test]
    fn the_scale_is_the_smallest_round_one() {
        #[track_caller]
        fn check(most: &str, want: &str) {
            assert_eq!(tonnes_label(Mass::from_units(scale_step(kg(most)))), want, "{most}");
        }
        check("0", "0.001");
        check("4", "0.001");
        check("200000", "50");
        check("200001", "75");
        check("295900", "75");
        check("99000", "25");
        check("99999999999999", "25,000,000,000");
    }

    #[test]
    fn a_column_says_what_it_comes_to_in_few_digits() {
        let check = |mass: &str, want: &str| assert_eq!(short_tonnes(kg(mass)), want, "{mass}");
        check("438123", "438");
        check("1204999", "1,205");
        check("41060", "41");
        check("7240", "7.2");
        check("304", "0.30");
        assert!(columns(CAPTION, &[parts("41060", "0", "0")]).contains(">41</text>"));
    }

    #[test]
    fn nothing_and_less_than_nothing_draw_no_bar() {
        let below = [Part { tone: Tone::Scope3, mass: kg("-5") }];
        assert!(!strip(CAPTION, &below, kg("10")).contains("s3"));
        assert!(!strip(CAPTION, &below, Mass::ZERO).contains("s3"));
        assert!(!columns(CAPTION, &[below.to_vec()]).contains("s3"));
        assert!(meter(CAPTION, 5, 0).contains(r#"width="0.000%""#));
        assert!(meter(CAPTION, 7, 5).contains(r#"width="100.000%""#));
    }

    #[test]
    fn nothing_is_styled_inline() {
        let all = [
            patterns().to_owned(),
            swatch(Tone::Scope2),
            strip(CAPTION, &parts("1", "2", "3"), kg("6")),
        ];
        assert!(all.iter().all(|svg| !svg.contains("style")), "the content policy refuses it");
    }
}

//! `init`, `serve`, `doctor`: a data folder, through the server's own doors.

use envora_cli::arguments::Common;
use envora_cli::failures::{Exit, Failure, chain};
use envora_cli::json;
use envora_cli::output::Form;
use envora_cli::session::Printed;
use envora_cli::tables::Table;
use envora_cli::terminal::Terminal;
use envora_server::app::App;
use envora_server::folder::doctor::{self, Check, Health};
use envora_server::folder::init::{Environment as Live, Loopback, NewOrganization};
use envora_server::folder::settings::Settings;
use envora_server::folder::{FolderError, Places, init, is_damage, open};
use envora_server::hosts::HostName;
use envora_server::serving::{Bound, GRACE, Listen};

use crate::arguments::{FolderArguments, InitArguments, ServeArguments};
use crate::environment::Environment;
use crate::limits;
use crate::logs::{self, Log};
use crate::world;

/// Makes a folder and its first organization, and prints the operator token, once.
pub(crate) fn init(
    arguments: &InitArguments,
    environment: &Environment,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let data = environment.data(arguments.folder.data.as_deref())?;
    let organization = NewOrganization {
        slug: arguments.org.clone(),
        name: arguments.name.clone(),
        time_zone: arguments.zone.clone(),
        domain: arguments.domain.clone(),
        environment: Live::Live,
        loopback: Loopback::Unnamed,
    };
    let report = init::init(&data, &organization, &world::real()).map_err(folder_failure)?;
    let words = &mut terminal.words;
    let settings = Settings::read(&Places::below(&data).settings()).map_err(folder_failure)?;
    let port = settings.listen.unwrap_or(Listen::default().address).port();
    words.line(format!("made {}", words.paint.strong(&data.display().to_string())));
    words.line(format!("  organization  {} ({})", arguments.name, report.organization));
    words.line(format!("  serve it      envora serve --data {}", data.display()));
    words.line(format!("  then open     http://{}.localhost:{port}", arguments.org));
    words.line(format!(
        "  keys          {}: back them up apart. The key file beside them protects\n                copies of the data, not a stolen disk",
        Places::below(&data).keys().display()
    ));
    words.line("The operator token, shown only now:");
    terminal.data.line(report.operator_token.reveal());
    Ok(())
}

/// Serves a folder until Ctrl-C or SIGTERM.
pub(crate) async fn serve(
    arguments: &ServeArguments,
    environment: &Environment,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let data = environment.data(arguments.folder.data.as_deref())?;
    let log = arguments.log.as_deref().map_or(Log::Stderr, Log::File);
    logs::start(&log, environment.log_filter.as_deref())?;
    let settings = Settings::read(&Places::below(&data).settings()).map_err(folder_failure)?;
    let usual = Listen::default();
    let listen = Listen {
        address: arguments.listen.or(settings.listen).unwrap_or(usual.address),
        admin: arguments.admin.or(settings.admin).unwrap_or(usual.admin),
    };
    let folder = data.clone();
    let opened = tokio::task::spawn_blocking(move || open::open(&folder, world::real(), None));
    let app = opened.await.map_err(anyhow::Error::from)?.map_err(folder_failure)?;
    let bound = bind(listen).await?.with_grace(settings.grace.unwrap_or(GRACE));
    let addresses = addresses(&app, &bound);
    terminal.words.line(format!(
        "serving {} at {}, Ctrl-C ends it",
        data.display(),
        addresses.join(" and ")
    ));
    bound.serve(app, told_to_end()).await?;
    terminal.words.line("ended");
    Ok(())
}

/// Where the organizations of a folder answer: the host alone says which one is meant.
fn addresses(app: &App, bound: &Bound) -> Vec<String> {
    let address = bound.address();
    let tenants = app.tenants();
    let named = tenants.all().filter_map(|tenant| {
        let mut hosts = tenants.hosts_of(tenant.id()).map(HostName::as_str);
        let host = hosts.find(|host| host.ends_with(".localhost"))?;
        Some(format!("http://{host}:{}", address.port()))
    });
    let named: Vec<String> = named.collect();
    if named.is_empty() { vec![format!("http://{address}")] } else { named }
}

/// Listens, or says who is in the way.
pub(crate) async fn bind(listen: Listen) -> Result<Bound, Failure> {
    let bound = Bound::bind(listen).await;
    bound.map(|bound| bound.with_connections(limits::connections_max())).map_err(|error| {
        let help = "name another port, or end the process that has this one";
        Failure::known((Exit::Error, "cannot_listen"), error.to_string(), help)
    })
}

/// Ends when the process is told to end.
pub(crate) async fn told_to_end() {
    let interrupted = async { drop(tokio::signal::ctrl_c().await) };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminated) = signal(SignalKind::terminate()) else { return interrupted.await };
        tokio::select! {
            () = interrupted => {}
            _ = terminated.recv() => {}
        }
    }
    #[cfg(not(unix))]
    interrupted.await;
}

/// Examines a folder and changes nothing in it.
pub(crate) fn doctor(
    arguments: &FolderArguments,
    common: &Common,
    environment: &Environment,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let data = environment.data(arguments.data.as_deref())?;
    show(&doctor::doctor(&data, &world::real(), None), common, terminal)
}

/// Prints what was examined; fails when something of it is bad.
pub(crate) fn show(
    checks: &[Check],
    common: &Common,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let to = &mut terminal.data;
    if common.form().print(&checks, to)? == Printed::AsJson {
    } else if common.form() != Form::Fit {
        let mut table = Table::new(&["check", "health", "detail", "remedy"]);
        for check in checks {
            let health = json::cell(serde_json::to_value(check.health).ok().as_ref());
            let remedy = check.remedy.clone().unwrap_or_default();
            table.row([check.name.clone(), health, check.detail.clone(), remedy]);
        }
        table.print(to);
    } else {
        let paint = to.paint;
        for check in checks {
            let mark = match check.health {
                Health::Good => paint.good("✓"),
                Health::Note | Health::Skipped => paint.odd("!"),
                Health::Bad => paint.bad("✗"),
            };
            to.line(format!("{mark} {}: {}", paint.strong(&check.name), check.detail));
            if let Some(remedy) = &check.remedy {
                to.line(format!("  {} {remedy}", paint.link("help:")));
            }
        }
    }
    match checks.iter().map(|check| check.health).max() {
        Some(Health::Bad) => Err(Failure::Said(Exit::Verification)),
        Some(Health::Skipped) => Err(Failure::Said(Exit::Partial)),
        Some(Health::Good | Health::Note) | None => Ok(()),
    }
}

/// A folder's error with its own remedy.
pub(crate) fn folder_failure(error: FolderError) -> Failure {
    let (code, exit) = match &error {
        FolderError::Exists(_) => ("folder_exists", Exit::Error),
        FolderError::Missing(_) => ("folder_missing", Exit::Error),
        FolderError::Unfit { .. } => ("usage", Exit::Usage),
        FolderError::Keys(_) if error.is_amiss() => ("key_unavailable", Exit::Verification),
        FolderError::Keys(_) => ("key_unavailable", Exit::Error),
        _ if error.is_in_use() => ("folder_in_use", Exit::Error),
        _ if error.is_unanswered() => ("database_unavailable", Exit::Unavailable),
        FolderError::Database { .. } if error.is_amiss() => {
            ("database_unavailable", Exit::Verification)
        }
        FolderError::Database { .. } | FolderError::Server(_) => {
            ("database_unavailable", Exit::Error)
        }
        FolderError::BehindAnchor { .. }
        | FolderError::ForeignMap { .. }
        | FolderError::OtherHistory { .. }
        | FolderError::DamagedLog { .. } => ("data_integrity", Exit::Verification),
        FolderError::Unsound { .. } => ("backup_unsound", Exit::Verification),
        FolderError::NotEmpty(_) => ("folder_not_empty", Exit::Error),
        FolderError::NotApart { .. } => ("not_apart", Exit::Usage),
        FolderError::OnServer => ("databases_on_server", Exit::Error),
        FolderError::Unreadable { .. } | FolderError::NoMap { .. } => {
            ("folder_unreadable", Exit::Error)
        }
        FolderError::Unexpected(error) if is_damage(error) => {
            ("data_integrity", Exit::Verification)
        }
        FolderError::InUse { .. } | FolderError::Unexpected(_) => ("error", Exit::Error),
    };
    let help = error.remedy();
    let what = chain(&anyhow::Error::from(error));
    Failure::known((exit, code), what, help)
}

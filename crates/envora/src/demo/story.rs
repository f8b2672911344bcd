//! The demo's story: set up, load, footprint, one figure to its bytes, what is odd.

use bytes::Bytes;
use envora_api::factors::{FactorPack, PackOrigin};
use envora_api::imports::Import;
use envora_cli::activities::{wait_until_counted, wait_until_recalculated};
use envora_cli::client::Client;
use envora_cli::collections::{self, Counts, FACILITIES, SOURCES};
use envora_cli::failures::{Exit, Failure};
use envora_cli::imports::{self, Outgoing};
use envora_cli::oddities;
use envora_cli::progress::Waiting;
use envora_cli::terminal::{Channel, Terminal, seconds};
use envora_cli::{audit, footprints, proofs, traces};
use envora_domain::decimal::{count_of, group_thousands};
use envora_domain::ports::Clock as _;

use crate::demo::estate::{self, MeterFile};
use crate::demo::places::DemoFolder;
use crate::demo::year::{self, YearFile};
use crate::world::SystemClock;

/// The year of the readings, as a footprint asks for it.
const YEAR: [(&str, &str); 2] = [("from", "2022-01-01"), ("to", "2023-01-01")];

/// What the story is told with.
pub(crate) struct Story<'a> {
    pub(crate) client: Client,
    pub(crate) folder: &'a DemoFolder,
    pub(crate) started_us: u64,
    /// How the program is started from another terminal.
    pub(crate) command: String,
    /// How the demo itself is started again, on this very folder.
    pub(crate) itself: String,
}

impl Story<'_> {
    /// Tells all of it and gives the figure that was followed.
    pub(crate) async fn tell(&self, terminal: &mut Terminal) -> Result<String, Failure> {
        self.begin(&mut terminal.data);
        self.set_up(&mut terminal.data).await?;
        self.meters(terminal).await?;
        self.others(terminal).await?;
        self.bad_rows(terminal).await?;
        let figure = self.footprint(&mut terminal.data).await?;
        self.follow(&figure, &mut terminal.data).await?;
        odd(&mut terminal.data);
        Ok(figure)
    }

    fn begin(&self, to: &mut Channel) {
        to.text(format!(
            "
{}  an organization's 2022: the hours of six university buildings, and what else it did
  Readings  Langtry, M., Choudhary, R. (2024), Cambridge University Estates building energy
            usage archive v2.1, doi:10.5281/zenodo.10955332, MIT
  Ledger    Harrogate Borough Council, February 2022; contains public sector information licensed
            under the Open Government Licence v3.0
  Schools   half hours of 13 November 2019, Energy Sparks, © 2016 Bath: Hacked, MIT. All other
            files are made up for the example
  Factors   contains public sector information licensed under the Open Government Licence v3.0
  Folder    {} ({} --clean removes it)
  Server    {} (its log: {})
",
            to.paint.strong("Envora demo"),
            self.folder.path().display(),
            self.itself,
            self.client.server(),
            self.folder.log().display()
        ));
    }

    /// Takes up the packs of this program where the folder is an earlier one's: what is active there may
    /// not be at hand any more, and nothing would ever be calculated. A pack that this program has no
    /// edition of at all keeps the folder from being gone on with.
    async fn take_up(&self, to: &mut Channel) -> Result<(), Failure> {
        let packs: Vec<FactorPack> = self.client.all("/factor-packs", &[]).await?;
        let of_program = packs.iter().filter(|pack| pack.origin == PackOrigin::Program);
        let (mut others, mut seq) = (0_u64, 0);
        for pack in of_program.filter(|pack| !pack.active) {
            let path = format!("/factor-packs/{}/activate", pack.id);
            let active: FactorPack = self.client.post(&path, &serde_json::json!({})).await?;
            (others, seq) = (others + 1, active.seq.unwrap_or(seq));
        }
        let waiting = Waiting::new(to.audience);
        let waited = wait_until_recalculated(&self.client, seq, &waiting).await;
        waiting.end();
        if others > 0 {
            let packs = count_of(others, "pack of factors is", "packs of factors are");
            to.line(format!("  {packs} taken up as this program has them"));
        }
        waited.map_err(|failure| self.of_another_version(failure))
    }

    /// A folder that cannot be calculated with is of another version: it is made anew.
    fn of_another_version(&self, failure: Failure) -> Failure {
        if !matches!(&failure, Failure::Known { code: "not_calculated", .. }) {
            return failure;
        }
        Failure::known(
            (Exit::Error, "demo_of_another_version"),
            format!(
                "the demo's folder {} was made by another version of the program, and nothing can be \
                 calculated in it: {failure}",
                self.folder.path().display()
            ),
            format!("`{} --fresh` makes it anew", self.itself),
        )
    }

    async fn set_up(&self, to: &mut Channel) -> Result<(), Failure> {
        to.heading("1", "Set up");
        self.take_up(to).await?;
        for (of, file, lists) in [
            (
                FACILITIES,
                "facilities.csv",
                &[estate::FACILITIES, year::FACILITIES, year::SCHOOLS][..],
            ),
            (SOURCES, "sources.csv", &[estate::SOURCES, year::SOURCES]),
        ] {
            let mut all = Counts::default();
            for list in lists.iter().copied() {
                let pushed = collections::push(&self.client, of, (file, list)).await?;
                if let Some(failure) = pushed.stopped {
                    return Err(failure);
                }
                all.added += pushed.counts.added;
                all.changed += pushed.counts.changed;
                all.unchanged += pushed.counts.unchanged;
                all.refused += pushed.counts.refused;
            }
            to.line(format!("  {}", all.text(of)));
        }
        let others = year::FILES.iter().map(|file| (file.mapping, file.rules));
        let mappings: Vec<_> = estate::MAPPINGS.iter().copied().chain(others).collect();
        for (name, text) in &mappings {
            let text = String::from_utf8_lossy(text);
            imports::save_mapping(&self.client, name, &text).await?;
        }
        to.line(format!("  {} mappings: which column means what", mappings.len()));
        Ok(())
    }

    async fn meters(&self, terminal: &mut Terminal) -> Result<(), Failure> {
        terminal.data.heading("2", "Load the hours of twelve meters, as imports over HTTP");
        let files: Vec<Outgoing> = estate::METERS.iter().map(outgoing).collect();
        self.load(&files, "readings", terminal).await?;
        Ok(())
    }

    async fn others(&self, terminal: &mut Terminal) -> Result<(), Failure> {
        terminal
            .data
            .heading("3", "Load what else the organization did, each file in its own shape");
        let files: Vec<Outgoing> = year::FILES.iter().map(other).collect();
        let answers = self.load(&files, "rows", terminal).await?;
        let sums = answers.iter().flat_map(|import| &import.results);
        let sums =
            sums.flat_map(|row| &row.errors).filter(|error| error.code == "looks_like_total");
        let sums = u64::try_from(sums.count()).unwrap_or(u64::MAX);
        let sums = count_of(sums, "row that sums others up was", "rows that sum others up were");
        terminal.data.line(format!("  {sums} found and not counted"));
        Ok(())
    }

    async fn load(
        &self,
        files: &[Outgoing],
        noun: &str,
        terminal: &mut Terminal,
    ) -> Result<Vec<Import>, Failure> {
        let began = SystemClock.monotonic_us();
        let answers = imports::send(&self.client, terminal.words.audience, files).await?;
        let last = answers.iter().map(|import| import.watermark.seq).max().unwrap_or(0);
        wait_until_counted(&self.client, last).await?;
        let took = seconds(SystemClock.monotonic_us().saturating_sub(began));
        let data = &mut terminal.data;
        imports::outcomes(&answers).print_indented(data);
        data.line("");
        let rows: u64 = answers.iter().map(imports::rows_of).sum();
        let there = answers.iter().all(|import| import.counts.accepted == 0);
        let what = if there {
            "compared with what is stored: all there already, nothing doubled,"
        } else {
            "checked, sealed, stored and calculated"
        };
        data.line(format!("  {} {noun} {what} in {took} s", group_thousands(&rows.to_string())));
        Ok(answers)
    }

    async fn bad_rows(&self, terminal: &mut Terminal) -> Result<(), Failure> {
        let (name, bytes) = estate::BAD_ROWS;
        terminal.data.heading("4", "A file of our own with every kind of bad row");
        let file = Outgoing {
            name: name.to_owned(),
            bytes: Bytes::from_static(bytes),
            in_parts: None,
            query: vec![("mapping", "every-bad-row".to_owned()), ("mode", "partial".to_owned())],
        };
        let answers = imports::send(&self.client, terminal.words.audience, &[file]).await?;
        for import in &answers {
            let data = &mut terminal.data;
            imports::print_refused_briefly(&import.results, data);
            data.line("");
            data.line(format!("  {name}: {}", imports::counts_text(&import.counts)));
            wait_until_counted(&self.client, import.watermark.seq).await?;
        }
        Ok(())
    }

    async fn footprint(&self, to: &mut Channel) -> Result<String, Failure> {
        to.heading("5", "The footprint");
        let year = YEAR.map(|(name, day)| (name, day.to_owned()));
        let footprint = footprints::ask(&self.client, &year).await?;
        let third = [("scope", "3".to_owned()), ("group_by", "category".to_owned())];
        let third = footprints::ask(&self.client, &[year.as_slice(), &third].concat()).await?;
        footprints::print(&footprint, &third.groups, to);
        self.schools(to).await?;
        let took = seconds(SystemClock.monotonic_us().saturating_sub(self.started_us));
        to.line(format!("  {}", to.paint.faint(&format!("{took} s after the start"))));
        Ok(footprint.totals.scope2_location.figure_id)
    }

    /// What the schools' half hours come to, which are of another year than the rest.
    async fn schools(&self, to: &mut Channel) -> Result<(), Failure> {
        let day = [("from", "2019-11-13"), ("to", "2019-11-14")];
        let day = day.map(|(name, day)| (name, day.to_owned()));
        let totals = footprints::ask(&self.client, &day).await?.totals;
        to.line(format!(
            "  The schools' day of 2019: {} t of scope 2, {} t of scope 3, by the factors of 2021,",
            footprints::tonnes(&totals.scope2_location),
            footprints::tonnes(&totals.scope3)
        ));
        to.line("  the nearest that are here (period_fallback); no total of 2022 holds it");
        Ok(())
    }

    async fn follow(&self, figure: &str, to: &mut Channel) -> Result<(), Failure> {
        to.heading("6", "One figure, followed to its bytes");
        let trace = traces::ask(&self.client, figure, 1).await?;
        traces::print_figure(&trace, to);
        let key = proofs::key(&audit::head(&self.client).await?.vkey)?;
        let row = traces::rows(&trace.lines.data).into_iter().next().unwrap_or_default();
        traces::print_row(row, (Some(traces::period(&trace)), &key), to)?;
        for line in row.iter().take(1) {
            let meter = estate::METERS.iter().find(|meter| meter.name == line.origin.file);
            meter.map_or(Ok(()), |meter| traces::print_source(line, meter.bytes, to))?;
        }
        Ok(())
    }

    /// Says where to go on; of a demo that stays up, with the address that signs in.
    pub(crate) fn part_with(&self, link: Option<&str>, figure: &str, terminal: &mut Terminal) {
        let (to, me) = (&mut terminal.data, &self.command);
        to.heading("8", "Go on");
        if let Some(link) = link {
            to.line(format!("  Dashboard  {}", to.paint.link(link)));
            to.line("             (signs in once, within ten minutes)");
            to.line("  In another terminal:");
        } else {
            to.line("  Without --once the dashboard stays up, and is asked in another terminal:");
        }
        for rest in [
            "footprint --year 2022 --group-by month".to_owned(),
            "footprint --year 2022 --group-by facility".to_owned(),
            format!("trace {figure} --source examples/university-estate/b2_electricity_2022.csv"),
            "audit verify".to_owned(),
        ] {
            to.line(format!("    {}", to.paint.link(&format!("{me} {rest}"))));
        }
        to.line("");
    }
}

fn outgoing(meter: &MeterFile) -> Outgoing {
    let set = |field: &str, value: &str| ("set", format!("{field}={value}"));
    Outgoing {
        name: meter.name.to_owned(),
        bytes: Bytes::from_static(meter.bytes),
        in_parts: None,
        query: vec![
            ("mapping", meter.mapping.to_owned()),
            ("mode", "partial".to_owned()),
            set("facility_code", meter.facility),
            set("source_code", meter.source),
        ],
    }
}

fn other(file: &YearFile) -> Outgoing {
    Outgoing {
        name: file.name.to_owned(),
        bytes: Bytes::from_static(file.bytes),
        in_parts: None,
        query: vec![("mapping", file.mapping.to_owned()), ("mode", "partial".to_owned())],
    }
}

fn odd(to: &mut Channel) {
    to.heading("7", "Seen in the readings, and not judged: nothing of it was mended or dropped");
    let series = |meter: &MeterFile| (meter.source.to_owned(), oddities::readings(meter.bytes));
    let all: Vec<_> = estate::METERS.iter().map(series).collect();
    oddities::table(&oddities::find(&all)).print_indented(to);
    to.line("");
    to.line("  The gas is taken as gross calorific value, which is our assumption: the files do not say.");
}

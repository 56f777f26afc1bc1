//! What operators do from the command line, the same in `larkfire` and `larkfire-worker`: dead letters, the trace of
//! an alert, a test of a receiver. The commands work on the database of the configuration, whether a worker runs or not.

mod adopt;
mod arguments;
mod audit;
mod cards;
mod console;
mod context;
mod discard;
mod heartbeats;
mod list;
mod plan;
pub(crate) mod receiver_test;
mod replay;
mod routes;
mod send_test;
mod show;
mod terminal;
pub(crate) mod trace;
mod users;

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use config::process;
use config::{Config, ConfigErrors};
use prometheus::Registry;
use queue::rabbitmq::{RabbitMq, RabbitPublisher};
use queue::{Publisher, QueueMetrics};
use runtime::data_dir;
use runtime::lifecycle::Lifecycle;
use runtime::plain::{Colouring, Layout, PlainWriter, complain, complain_in_lines, escaped};
use thiserror::Error;

use crate::store::{OpenError, StoreError};
pub use arguments::OperatorCommand;
use arguments::{CardsCommand, ConsoleCommand, DeadLettersCommand, HeartbeatsCommand, RoutesCommand};
use context::CommandContext;
pub(crate) use show::hide_mobiles;

/// The way to the pipeline, for letters that are sent again and for tests.
pub struct ReplayPublisher {
    /// Publishes them. Whatever it is, what it has confirmed is safe.
    pub publisher: Arc<dyn Publisher>,
    /// Whether somebody may be there to tell them now.
    pub is_read: bool,
}

/// Why a command came to nothing, or not to its end.
#[derive(Debug, Error)]
pub enum CommandError {
    /// It was not asked for in a way that can be done.
    #[error("{0}")]
    Usage(String),
    /// It could not be done.
    #[error("{0}")]
    Failed(String),
    /// Much is wrong with what it was given, and nothing was done.
    #[error("{what}\n  {}", problems.join("\n  "))]
    Problems {
        /// With what, and what became of it.
        what: String,
        /// What is wrong.
        problems: Vec<String>,
    },
    /// The database does not answer.
    #[error("{failure}{}", question(failure))]
    Store {
        /// What it said, or that it said nothing.
        #[from]
        failure: StoreError,
    },
    /// The database cannot be used as it is configured.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Nobody reads what is printed.
    #[error("{0}")]
    Output(#[from] io::Error),
}

/// What to look at, where the failure does not say it by itself.
const fn question(failure: &StoreError) -> &'static str {
    match failure {
        StoreError::Away | StoreError::TimedOut { .. } | StoreError::Failed(_) => {
            "; is the database there, and is database.url (DATABASE_URL) right?"
        }
        StoreError::File { .. } => "",
    }
}

/// Where a command prints.
struct Terminal<'t> {
    /// What was asked for.
    out: &'t mut dyn Write,
    /// How far it has come.
    progress: PlainWriter<Box<dyn Write>>,
}

impl CommandError {
    /// Says it on standard error; of what it repeats nothing is obeyed.
    fn complain(&self) {
        let Self::Problems { what, problems } = self else { return complain(self) };
        let problems: Vec<_> = problems.iter().map(|problem| escaped(problem)).collect();
        complain_in_lines(&Self::Problems { what: escaped(what), problems });
    }
}

/// The way back to the workers over RabbitMQ.
pub fn broker(config: &Config, lifecycle: &Lifecycle) -> Result<RabbitPublisher, CommandError> {
    let needed = "this needs RabbitMQ: set AMQP_URL, or use `larkfire`, which needs none";
    let queue = config.queue.as_ref().ok_or_else(|| CommandError::Usage(needed.to_owned()))?;
    let failed = |error: &dyn std::error::Error| CommandError::Failed(error.to_string());
    let metrics = QueueMetrics::register(&Registry::new()).map_err(|error| failed(&error))?;
    let rabbit = RabbitMq::new(queue, lifecycle, metrics).map_err(|error| failed(&error))?;
    Ok(rabbit.publisher(lifecycle.readiness.condition("publishing")))
}

/// Does what is asked for. `open` finds the way back to the pipeline; it is asked only if something is sent.
pub fn run<O>(command: OperatorCommand, config: Result<Config, ConfigErrors>, open: O) -> ExitCode
where
    O: AsyncFnOnce(&Config, &Lifecycle) -> Result<ReplayPublisher, CommandError>,
{
    data_dir::keep_new_files_private();
    // Whatever an alert says, nothing that is printed of it speaks to the terminal.
    let mut out = PlainWriter::new(io::stdout().lock(), Layout::Lines, Colouring::None);
    let config = match config {
        Ok(config) => config,
        Err(errors) => {
            complain_in_lines(&errors);
            return process::BAD_CONFIGURATION.into();
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let done = runtime.map_err(CommandError::from).and_then(|runtime| {
        let progress: Box<dyn Write> = Box::new(io::stderr());
        let progress = PlainWriter::new(progress, Layout::Lines, Colouring::None);
        let terminal = Terminal { out: &mut out, progress };
        runtime.block_on(carry_out(command, &config, open, terminal))
    });
    match done {
        Ok(code) => code,
        // As in `… | head`: whoever reads has seen enough.
        Err(CommandError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            error.complain();
            match error {
                CommandError::Usage(_) => process::BAD_CONFIGURATION.into(),
                CommandError::Failed(_)
                | CommandError::Problems { .. }
                | CommandError::Store { .. }
                | CommandError::Open(_)
                | CommandError::Output(_) => process::FAILED.into(),
            }
        }
    }
}

async fn carry_out<O>(
    command: OperatorCommand,
    config: &Config,
    open: O,
    mut terminal: Terminal<'_>,
) -> Result<ExitCode, CommandError>
where
    O: AsyncFnOnce(&Config, &Lifecycle) -> Result<ReplayPublisher, CommandError>,
{
    let lifecycle = Lifecycle::default();
    let open = async || open(config, &lifecycle).await;
    let command = match command {
        OperatorCommand::SendTest(asked) => {
            return send_test::send_test(config, asked, open, &mut terminal).await;
        }
        OperatorCommand::Trace(asked) => {
            return trace::trace(&CommandContext::open(config).await?, asked, &mut terminal).await;
        }
        OperatorCommand::Cards(CardsCommand::Show(asked)) => {
            return cards::show(&CommandContext::open(config).await?, &asked, &mut terminal).await;
        }
        OperatorCommand::Routes(RoutesCommand::Test(asked)) => {
            return routes::test(config, &asked, &mut terminal);
        }
        OperatorCommand::Heartbeats(HeartbeatsCommand::List { json }) => {
            let context = CommandContext::open(config).await?;
            return heartbeats::list(&context, &config.heartbeats, json, &mut terminal).await;
        }
        OperatorCommand::Users(asked) => return users::users(config, asked, &mut terminal).await,
        OperatorCommand::Audit(asked) => {
            return audit::all(&CommandContext::open(config).await?, &asked, &mut terminal).await;
        }
        OperatorCommand::Console(ConsoleCommand::HashPassword) => {
            return console::hash(io::stdin(), &mut terminal);
        }
        OperatorCommand::AdoptDatabase(asked) => return adopt::adopt(config, asked, &mut terminal).await,
        OperatorCommand::DeadLetters(command) => command,
    };
    let context = CommandContext::open(config).await?;
    match command {
        DeadLettersCommand::List(asked) => list::list(&context, asked, &mut terminal).await,
        DeadLettersCommand::Audit(asked) => audit::of_letters(&context, &asked, &mut terminal).await,
        DeadLettersCommand::Show(asked) => show::show(&context, &asked, &mut terminal).await,
        DeadLettersCommand::Discard(asked) => discard::discard(&context, asked, &mut terminal).await,
        DeadLettersCommand::Replay(asked) => replay::replay(&context, asked, open, &mut terminal).await,
    }
}

//! The checkers as subcommands: one for each row of the table.

use anyhow::Result;
use clap::{Arg, ArgAction, ArgMatches, Command, Error, FromArgMatches, Subcommand};

use crate::checkers::{run, table};
use crate::workspace::Workspace;

/// A checker, and how it was asked for.
pub(crate) struct Chosen {
    name: String,
    of: Option<String>,
    long: bool,
}

impl Chosen {
    pub(crate) fn run(&self, workspace: &Workspace) -> Result<u64> {
        run(workspace, &self.name, self.of.as_deref(), self.long)
    }
}

impl FromArgMatches for Chosen {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let (name, matches) = matches
            .subcommand()
            .ok_or_else(|| Error::new(clap::error::ErrorKind::MissingSubcommand))?;
        let of = matches.get_one::<String>("of").cloned();
        Ok(Self { name: name.to_owned(), of, long: matches.get_flag("long") })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Subcommand for Chosen {
    fn augment_subcommands(command: Command) -> Command {
        table::ALL.iter().fold(command, |command, checker| {
            let of = Arg::new("of").value_name("CRATE").help("One crate, model or target alone");
            let long = Arg::new("long").long("long").action(ArgAction::SetTrue);
            let long = long.help("More of the same, for as long as it takes");
            command.subcommand(Command::new(checker.name).about(checker.about).arg(of).arg(long))
        })
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        table::ALL.iter().any(|checker| checker.name == name)
    }
}

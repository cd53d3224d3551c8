//! What is known of a flag that the Python scripts spell and `bert` does not, or not in that sense.

/// A training command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    /// `train-squad`
    Squad,
    /// `train-swag`
    Swag,
    /// `train-glue`
    Glue,
}

impl Verb {
    pub(super) fn of(name: &str) -> Option<Self> {
        match name {
            "train-squad" => Some(Self::Squad),
            "train-swag" => Some(Self::Swag),
            "train-glue" => Some(Self::Glue),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Squad => "train-squad",
            Self::Swag => "train-swag",
            Self::Glue => "train-glue",
        }
    }
}

pub(super) const ALL: &[Verb] = &[Verb::Squad, Verb::Swag, Verb::Glue];
pub(super) const SQUAD: &[Verb] = &[Verb::Squad];
pub(super) const SWAG: &[Verb] = &[Verb::Swag];
pub(super) const GLUE: &[Verb] = &[Verb::Glue];
pub(super) const NOT_GLUE: &[Verb] = &[Verb::Squad, Verb::Swag];
pub(super) const WHOLE_EXAMPLES: &[Verb] = &[Verb::Swag, Verb::Glue];

/// The words that belong to a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value {
    /// True alone; a word that says true or false may follow, as `HfArgumentParser` has it.
    Switch,
    /// One.
    One,
    /// All up to the next flag.
    Many,
}

/// What becomes of a flag.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Becomes {
    /// Another flag, with the same value.
    Flag(&'static str),
    /// What these say, of this flag and others: [`super::decide`]. One that is also a flag of ours has our meaning where
    /// the command line is not `transformers`'.
    Computed(&'static str),
    /// Nothing: there is no such thing here, and no result depends on it.
    Nothing,
    /// Nothing with one of these values, which say what is done anyway; refused with any other.
    Only(&'static [&'static str]),
    /// An error that says what to use.
    Refused,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spelling {
    /// The name, with hyphens and without dashes.
    pub(super) flag: &'static str,
    /// Other names of the same.
    pub(super) aliases: &'static [&'static str],
    /// The commands that take it.
    pub(super) verbs: &'static [Verb],
    pub(super) value: Value,
    pub(super) becomes: Becomes,
    /// Why, or what to use: the end of a sentence.
    pub(super) note: &'static str,
}

impl Spelling {
    pub(super) const fn aliases(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    pub(super) const fn of(self, verbs: &'static [Verb]) -> Self {
        Self { verbs, ..self }
    }

    pub(super) const fn switch(self) -> Self {
        Self {
            value: Value::Switch,
            ..self
        }
    }

    pub(super) const fn many(self) -> Self {
        Self {
            value: Value::Many,
            ..self
        }
    }

    pub(super) fn is_named(&self, flag: &str) -> bool {
        self.flag == flag || self.aliases.contains(&flag)
    }
}

/// A flag with a value that every training command takes.
const fn row(flag: &'static str, becomes: Becomes, note: &'static str) -> Spelling {
    Spelling {
        flag,
        aliases: &[],
        verbs: ALL,
        value: Value::One,
        becomes,
        note,
    }
}

pub(super) const fn renamed(
    flag: &'static str,
    ours: &'static str,
    note: &'static str,
) -> Spelling {
    row(flag, Becomes::Flag(ours), note)
}

pub(super) const fn computed(
    flag: &'static str,
    ours: &'static str,
    note: &'static str,
) -> Spelling {
    row(flag, Becomes::Computed(ours), note)
}

pub(super) const fn nothing(flag: &'static str, note: &'static str) -> Spelling {
    row(flag, Becomes::Nothing, note)
}

pub(super) const fn only(
    flag: &'static str,
    values: &'static [&'static str],
    note: &'static str,
) -> Spelling {
    row(flag, Becomes::Only(values), note)
}

pub(super) const fn refused(flag: &'static str, note: &'static str) -> Spelling {
    row(flag, Becomes::Refused, note)
}

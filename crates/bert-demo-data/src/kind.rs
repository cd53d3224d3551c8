//! The kinds of value that a slot can hold.

use crate::DemoDataError;

/// What a slot is filled with; parsed from words such as `person`, `year:3` or `number:40-980:metres`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A full name.
    Person,
    /// A full name of the sex opposite to the subject's.
    Spouse,
    /// A family name.
    Surname,
    /// A year; years of a higher rank come later in a passage's history.
    Year { rank: usize },
    /// A day of the year, "4 March".
    Date,
    /// A number with its unit, "240 metres".
    Number {
        low: usize,
        high: usize,
        unit: String,
    },
    /// A sum, "£4,500".
    Money { low: usize, high: usize },
    /// A two-part name from one of the lexicon's `pair` tables.
    Pair(String),
}

/// Values that a question word alone cannot tell apart: who, when, how many, where. Any other kind is a class of its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// Answers to "who".
    Person,
    /// Answers to "in which year".
    Year,
    /// Numbers with units and sums of money.
    Quantity,
    /// Towns, counties, streets, islands, mountains and rivers.
    Place,
    /// Anything else, by the name of its kind.
    Other(String),
}

impl Kind {
    /// # Errors
    ///
    /// If `text` names no kind.
    pub(crate) fn parse(text: &str) -> Result<Self, DemoDataError> {
        let unknown = || DemoDataError::UnknownKind {
            found: text.to_owned(),
        };
        let range = |text: &str| {
            let (low, high) = text.split_once('-')?;
            Some((low.parse().ok()?, high.parse().ok()?))
        };
        let mut parts = text.splitn(3, ':');
        let name = parts.next().unwrap_or_default();
        let (second, third) = (parts.next(), parts.next());
        match (name, second, third) {
            ("person", None, None) => Ok(Self::Person),
            ("spouse", None, None) => Ok(Self::Spouse),
            ("surname", None, None) => Ok(Self::Surname),
            ("date", None, None) => Ok(Self::Date),
            ("year", rank, None) => {
                let rank = rank.map_or(Ok(0), str::parse).map_err(|_| unknown())?;
                Ok(Self::Year { rank })
            }
            ("number", Some(numbers), Some(unit)) => {
                let (low, high) = range(numbers).ok_or_else(unknown)?;
                Ok(Self::Number {
                    low,
                    high,
                    unit: unit.to_owned(),
                })
            }
            ("money", Some(numbers), None) => {
                let (low, high) = range(numbers).ok_or_else(unknown)?;
                Ok(Self::Money { low, high })
            }
            (_, None, None) => Ok(Self::Pair(name.to_owned())),
            _ => Err(unknown()),
        }
    }

    /// The class of the values of this kind.
    pub(crate) fn class(&self) -> Class {
        match self {
            Self::Person | Self::Spouse | Self::Surname => Class::Person,
            Self::Year { .. } => Class::Year,
            Self::Number { .. } | Self::Money { .. } => Class::Quantity,
            Self::Date => Class::Other("date".to_owned()),
            Self::Pair(name) => match name.as_str() {
                "town" | "county" | "street" | "island" | "mountain" | "river" => Class::Place,
                _ => Class::Other(name.clone()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_parsed() {
        assert_eq!(Kind::parse("person").unwrap(), Kind::Person);
        assert_eq!(Kind::parse("year:3").unwrap(), Kind::Year { rank: 3 });
        let miles = Kind::Number {
            low: 3,
            high: 390,
            unit: "square miles".to_owned(),
        };
        assert_eq!(Kind::parse("number:3-390:square miles").unwrap(), miles);
        assert!(Kind::parse("number:3:miles").is_err());
        assert!(Kind::parse("money:many").is_err());
    }
}

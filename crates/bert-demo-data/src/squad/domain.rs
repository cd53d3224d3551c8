//! The subjects that passages are about, read from `content/squad`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::DemoDataError;
use crate::kind::Kind;
use crate::template::{Piece, introduces_subject, pieces, variants};

const SHARED: &str = include_str!("../../content/squad/shared.toml");

macro_rules! domain_files {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../content/squad/domains/", $name, ".toml")))),*]
    };
}

const DOMAINS: [(&str, &str); 18] = domain_files![
    "bakeries",
    "bridges",
    "explorers",
    "farms",
    "festivals",
    "football_clubs",
    "inventors",
    "islands",
    "libraries",
    "lighthouses",
    "museums",
    "observatories",
    "orchestras",
    "painters",
    "rivers",
    "schools",
    "ships",
    "theatres",
];

/// Facts that are told in one sentence.
#[derive(Debug, Clone)]
pub(crate) struct Relation {
    pub(crate) name: String,
    /// What each slot holds, by the slot's name.
    pub(crate) slots: BTreeMap<String, Kind>,
    /// Paraphrases; each holds every slot.
    pub(crate) sentences: Vec<String>,
    /// Questions by the slot that answers them.
    pub(crate) questions: BTreeMap<String, Vec<String>>,
}

/// A subject area: one article of the data set.
#[derive(Debug)]
pub(crate) struct Domain {
    pub(crate) title: String,
    /// Templates of the subjects' full names.
    pub(crate) names: Vec<String>,
    pub(crate) noun: String,
    /// The post that its leader holds.
    pub(crate) job: String,
    pub(crate) is_person: bool,
    /// Span that a passage's first year falls in.
    pub(crate) first_year: [usize; 2],
    pub(crate) relations: Vec<Relation>,
    pub(crate) fillers: Vec<String>,
    pub(crate) openings: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RelationFile {
    name: String,
    slots: BTreeMap<String, String>,
    sentences: Vec<String>,
    questions: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FillerFile {
    name: Option<String>,
    sentences: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SharedFile {
    relation: Vec<RelationFile>,
    filler: Vec<FillerFile>,
    openings: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DomainFile {
    title: String,
    names: Vec<String>,
    noun: String,
    job: String,
    #[serde(default)]
    person: bool,
    #[serde(default = "default_first_year")]
    first_year: [usize; 2],
    /// Names of shared fillers.
    #[serde(default)]
    fillers: Vec<String>,
    /// Names of shared relations.
    #[serde(default, rename = "use")]
    shared: Vec<String>,
    /// Relations of other domains, by the domain's file name.
    #[serde(default)]
    borrow: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    relation: Vec<RelationFile>,
    #[serde(default)]
    filler: Vec<FillerFile>,
}

fn default_first_year() -> [usize; 2] {
    [1800, 1890]
}

/// Reads and checks every domain.
///
/// # Errors
///
/// If a content file has a mistake.
pub(crate) fn load_domains() -> Result<Vec<Domain>, DemoDataError> {
    let shared: SharedFile = parse("squad/shared.toml", SHARED)?;
    let mut files = BTreeMap::new();
    for (name, text) in DOMAINS {
        let file: DomainFile = parse(&format!("squad/domains/{name}.toml"), text)?;
        files.insert(name, file);
    }
    files
        .values()
        .map(|file| resolve(file, &files, &shared))
        .collect()
}

fn parse<T: for<'de> Deserialize<'de>>(file: &str, text: &str) -> Result<T, DemoDataError> {
    toml::from_str(text).map_err(|source| DemoDataError::Content {
        file: file.to_owned(),
        source,
    })
}

fn resolve(
    file: &DomainFile,
    files: &BTreeMap<&str, DomainFile>,
    shared: &SharedFile,
) -> Result<Domain, DemoDataError> {
    let unknown = |found: &str| DemoDataError::UnknownName {
        domain: file.title.clone(),
        found: found.to_owned(),
    };
    let find = |list: &[RelationFile], name: &str| -> Result<Relation, DemoDataError> {
        let relation = list
            .iter()
            .find(|relation| relation.name == name)
            .ok_or_else(|| unknown(name))?;
        check(relation, &file.title)
    };
    let mut relations = Vec::new();
    for relation in &file.relation {
        relations.push(check(relation, &file.title)?);
    }
    for name in &file.shared {
        relations.push(find(&shared.relation, name)?);
    }
    for (lender, names) in &file.borrow {
        let lender = files.get(lender.as_str()).ok_or_else(|| unknown(lender))?;
        for name in names {
            relations.push(find(&lender.relation, name)?);
        }
    }
    let mut fillers: Vec<String> = file
        .filler
        .iter()
        .flat_map(|filler| filler.sentences.clone())
        .collect();
    for name in &file.fillers {
        let filler = shared
            .filler
            .iter()
            .find(|filler| filler.name.as_ref() == Some(name));
        fillers.extend(filler.ok_or_else(|| unknown(name))?.sentences.clone());
    }
    let openings = if file.person { "person" } else { "place" };
    Ok(Domain {
        title: file.title.clone(),
        names: file.names.clone(),
        noun: file.noun.clone(),
        job: file.job.clone(),
        is_person: file.person,
        first_year: file.first_year,
        relations,
        fillers,
        openings: shared
            .openings
            .get(openings)
            .ok_or_else(|| unknown(openings))?
            .clone(),
    })
}

/// Checks that each sentence tells every slot, each slot is asked for and some sentence can begin a passage.
fn check(file: &RelationFile, domain: &str) -> Result<Relation, DemoDataError> {
    let missing = |slot: &str, place: &str| DemoDataError::Slot {
        domain: domain.to_owned(),
        relation: file.name.clone(),
        slot: slot.to_owned(),
        place: place.to_owned(),
    };
    let mut slots = BTreeMap::new();
    for (name, kind) in &file.slots {
        if file.questions.get(name).is_none_or(Vec::is_empty) {
            return Err(missing(name, "questions"));
        }
        slots.insert(name.clone(), Kind::parse(kind)?);
    }
    for sentence in &file.sentences {
        for variant in variants(sentence)? {
            let told = slot_names(&variant)?;
            if let Some(slot) = slots
                .keys()
                .find(|slot| told.iter().filter(|name| name == slot).count() != 1)
            {
                return Err(missing(slot, sentence));
            }
            if let Some(slot) = told.iter().find(|slot| !slots.contains_key(**slot)) {
                return Err(missing(slot, sentence));
            }
        }
    }
    for (slot, questions) in &file.questions {
        for question in questions {
            for variant in variants(question)? {
                let named = slot_names(&variant)?;
                if named
                    .iter()
                    .any(|name| name == slot || !slots.contains_key(*name))
                {
                    return Err(missing(slot, question));
                }
            }
        }
    }
    // One sentence that does so whatever its choices, since any relation may come first.
    let introduces = |sentence: &&String| {
        variants(sentence).is_ok_and(|all| all.iter().all(|one| introduces_subject(one)))
    };
    if !file.sentences.iter().any(|sentence| introduces(&sentence)) {
        return Err(DemoDataError::NothingToChoose {
            place: format!(
                "{domain}, sentences of {:?} that can begin a passage",
                file.name
            ),
        });
    }
    Ok(Relation {
        name: file.name.clone(),
        slots,
        sentences: file.sentences.clone(),
        questions: file.questions.clone(),
    })
}

fn slot_names(template: &str) -> Result<Vec<&str>, DemoDataError> {
    let pieces = pieces(template)?.into_iter();
    Ok(pieces
        .filter_map(|piece| {
            if let Piece::Slot(name) = piece {
                Some(name)
            } else {
                None
            }
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_domain_is_sound() {
        let domains = load_domains().unwrap();
        assert_eq!(domains.len(), DOMAINS.len());
        for domain in &domains {
            assert!(
                domain.relations.len() >= 8,
                "{} has few relations",
                domain.title
            );
            assert!(
                domain.fillers.len() >= 8,
                "{} has few fillers",
                domain.title
            );
            for relation in &domain.relations {
                assert!(
                    relation.sentences.len() >= 3,
                    "{}, {}",
                    domain.title,
                    relation.name
                );
            }
        }
    }
}

//! Which files of a checkpoint folder hold its weights.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use bert_files::{JsonFault, cut};
use serde::Deserialize;

use crate::ModelError;

/// Names of weight files, the first that is there counts: one file, or the index of several.
const CANDIDATES: [(&str, bool); 4] = [
    ("model.safetensors", false),
    ("model.safetensors.index.json", true),
    ("pytorch_model.bin", false),
    ("pytorch_model.bin.index.json", true),
];

/// The most bytes of an index: a BERT has some 400 tensors, each a line of a hundred bytes.
const INDEX_LIMIT: u64 = 32 << 20;

/// The weight files of a checkpoint folder.
pub(super) struct WeightFiles {
    /// The only file, or the index.
    pub(super) path: PathBuf,
    /// The files with tensors.
    pub(super) files: Vec<PathBuf>,
    /// Where the index says that a tensor is, by the tensor's name.
    places: BTreeMap<String, PathBuf>,
}

/// What `transformers` writes beside weights in several files.
#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

/// Finds the weights of a checkpoint folder; `None` where it has none.
///
/// # Errors
/// When an index cannot be read, or names something else than a file beside it.
pub(super) fn find(dir: &Path) -> Result<Option<WeightFiles>, ModelError> {
    let mut candidates = CANDIDATES.into_iter();
    let found = candidates.find(|(name, _)| dir.join(name).exists());
    let Some((name, is_index)) = found else {
        return Ok(None);
    };
    let path = dir.join(name);
    if !is_index {
        return Ok(Some(WeightFiles {
            files: vec![path.clone()],
            path,
            places: BTreeMap::new(),
        }));
    }
    let kind = name.trim_end_matches(".index.json");
    let kind = kind.rsplit_once('.').map_or("", |(_, ending)| ending);
    let failed = |reason| ModelError::WeightFile {
        path: path.clone(),
        reason,
    };
    let text = bert_files::read_text(&path, INDEX_LIMIT)?;
    let index: Index =
        serde_json::from_str(&text).map_err(|error| failed(JsonFault::from(error).to_string()))?;
    let mut places = BTreeMap::new();
    for (tensor, file) in index.weight_map {
        let is_beside = Path::new(&file)
            .file_name()
            .is_some_and(|name| name == &*file);
        if !is_beside || Path::new(&file).extension().is_none_or(|it| it != kind) {
            return Err(failed(format!(
                "tensor {}: found the file {:?}, expected the name of a .{kind} file in this folder",
                cut(&tensor),
                cut(&file)
            )));
        }
        places.insert(tensor, dir.join(file));
    }
    let files: BTreeSet<PathBuf> = places.values().cloned().collect();
    if files.is_empty() {
        return Err(failed(
            "found no tensors, expected them under weight_map".to_owned(),
        ));
    }
    Ok(Some(WeightFiles {
        files: files.into_iter().collect(),
        path,
        places,
    }))
}

/// The files that hold a checkpoint folder's weights, an index first; none where it has no weights.
///
/// # Errors
/// When an index cannot be read, or names something else than a file beside it.
pub fn weight_files(dir: &Path) -> Result<Vec<PathBuf>, ModelError> {
    let Some(found) = find(dir)? else {
        return Ok(Vec::new());
    };
    let mut files = found.files;
    if files != [found.path.clone()] {
        files.insert(0, found.path);
    }
    Ok(files)
}

impl WeightFiles {
    /// Checks that each tensor of the index is where it says; `found` are the tensors and the files that they are in.
    ///
    /// # Errors
    /// When one is not.
    pub(super) fn check<'a>(
        &self,
        found: impl Iterator<Item = (&'a str, &'a Path)>,
    ) -> Result<(), ModelError> {
        let found: HashSet<(&str, &Path)> = found.collect();
        let mut places = self.places.iter();
        match places.find(|(tensor, file)| !found.contains(&(tensor.as_str(), file.as_path()))) {
            None => Ok(()),
            Some((tensor, file)) => Err(ModelError::WeightFile {
                path: file.clone(),
                reason: format!(
                    "found no tensor {}, expected it here as {} says",
                    cut(tensor),
                    self.path.display()
                ),
            }),
        }
    }
}

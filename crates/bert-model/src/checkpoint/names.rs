//! One name for a parameter, however the file spells it.

/// The encoder's top-level parts, which stand at the root of a checkpoint saved without a head.
const ENCODER_PARTS: [&str; 3] = ["embeddings.", "encoder.", "pooler."];

/// Maps a name in a file to today's name of the same parameter in a model with a head.
pub(crate) fn canonical(name: &str) -> String {
    // `torch.nn.DataParallel` wraps the model in `module`.
    let name = name.strip_prefix("module.").unwrap_or(name);
    let mut canonical = match ENCODER_PARTS.iter().any(|part| name.starts_with(part)) {
        true => format!("bert.{name}"),
        false => name.to_owned(),
    };
    for (old, new) in [(".gamma", ".weight"), (".beta", ".bias")] {
        if let Some(stem) = canonical.strip_suffix(old) {
            canonical = format!("{stem}{new}");
        }
    }
    canonical
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn every_spelling_maps_to_today_s() {
        let layer_norm = "bert.embeddings.LayerNorm.weight";
        for spelling in [
            "bert.embeddings.LayerNorm.weight",
            "embeddings.LayerNorm.weight",
            "bert.embeddings.LayerNorm.gamma",
            "module.bert.embeddings.LayerNorm.gamma",
        ] {
            assert_eq!(canonical(spelling), layer_norm);
        }
        assert_eq!(canonical("pooler.dense.bias"), "bert.pooler.dense.bias");
        assert_eq!(canonical("qa_outputs.weight"), "qa_outputs.weight");
    }
}

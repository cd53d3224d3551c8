//! What of a run's settings tells two runs apart.
//!
//! Each settings struct is declared with [`compared!`](crate::compared), which says of every field what it does to the
//! run. From this follow the comparison of a run with an earlier one in its folder, and the settings that repeat a run.

use serde_json::{Map, Value};

/// What a setting does to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Steps or results depend on it.
    Setting,
    /// It follows from other settings, the data or the machine, and results depend on it.
    Derived,
    /// No result depends on it.
    Free,
    /// It says where, or that, a command is run. No result depends on it, and a repeated run chooses it again.
    Once,
    /// The path of an input, or several: the contents are compared, and how many there are.
    Input,
    /// Settings with roles of their own.
    Group(&'static [Field]),
}

/// A field of a settings struct.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its name, in the struct and in JSON.
    pub name: &'static str,
    /// What it does to a run.
    pub role: Role,
}

/// Settings that say what each of them does to a run.
pub trait Compared {
    /// The fields. One that is missing here, such as one of a flattened struct, is a [`Role::Setting`].
    const FIELDS: &'static [Field];
}

/// Declares a struct of settings, each with its [`Role`].
///
/// ```
/// bert_records::compared! {
///     /// How a run is saved.
///     pub struct Saving {
///         /// Steps between two.
///         pub steps: usize => Role::Free,
///     }
/// }
/// use bert_records::compare::{Compared, Role};
/// assert_eq!(Saving::FIELDS[0].role, Role::Free);
/// ```
#[macro_export]
macro_rules! compared {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $($(#[$field_meta:meta])* pub $field:ident : $type:ty => $role:expr,)*
        }
    ) => {
        $(#[$meta])*
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
        }

        impl $crate::compare::Compared for $name {
            const FIELDS: &'static [$crate::compare::Field] = {
                #[allow(unused_imports, reason = "a struct may have paths of roles alone")]
                use $crate::compare::{Compared as _, Role};
                &[$($crate::compare::Field { name: stringify!($field), role: $role },)*]
            };
        }
    };
}

/// The part of some settings by which runs are compared: paths of inputs are replaced by their number.
pub fn comparable(settings: &Value, fields: &[Field]) -> Value {
    let Value::Object(settings) = settings else {
        return settings.clone();
    };
    let kept = settings.iter().filter_map(|(name, value)| {
        let value = match role(fields, name) {
            Role::Setting | Role::Derived => value.clone(),
            Role::Free | Role::Once => return None,
            Role::Input => number_of(value),
            Role::Group(fields) => comparable(value, fields),
        };
        Some((name.clone(), value))
    });
    Value::Object(kept.collect::<Map<_, _>>())
}

/// The settings that repeat a run, by name, those of groups among them.
pub fn repeatable(settings: &Value, fields: &[Field]) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for (name, value) in settings.as_object().into_iter().flatten() {
        match (role(fields, name), value) {
            (Role::Derived | Role::Once, _) | (_, Value::Null) => {}
            (Role::Group(fields), _) => found.extend(repeatable(value, fields)),
            (_, Value::Object(_)) => found.extend(repeatable(value, &[])),
            _ => found.push((name.clone(), value.clone())),
        }
    }
    found
}

fn role(fields: &[Field], name: &str) -> Role {
    let field = fields.iter().find(|field| field.name == name);
    field.map_or(Role::Setting, |field| field.role)
}

fn number_of(paths: &Value) -> Value {
    match paths {
        Value::Null => Value::Null,
        Value::Array(paths) => paths.len().into(),
        _ => 1.into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const FIELDS: &[Field] = &[
        Field {
            name: "data",
            role: Role::Input,
        },
        Field {
            name: "out",
            role: Role::Free,
        },
        Field {
            name: "device",
            role: Role::Once,
        },
        Field {
            name: "group",
            role: Role::Group(&[Field {
                name: "often",
                role: Role::Free,
            }]),
        },
        Field {
            name: "kind",
            role: Role::Derived,
        },
    ];

    #[test]
    fn roles_say_what_is_compared_and_what_is_repeated() {
        let settings = json!({
            "data": ["a", "b"], "out": "x", "device": "cpu", "kind": "k", "other": 1, "none": null,
            "group": {"often": 5, "rate": 0.1}, "plain": {"length": 3},
        });
        let compared = json!({
            "data": 2, "kind": "k", "other": 1, "none": null, "group": {"rate": 0.1}, "plain": {"length": 3},
        });
        assert_eq!(comparable(&settings, FIELDS), compared);
        let names: Vec<String> = repeatable(&settings, FIELDS)
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names, ["data", "often", "rate", "other", "out", "length"]);
        assert_eq!(
            comparable(&json!({"data": "a"}), FIELDS),
            json!({"data": 1})
        );
        assert_eq!(
            comparable(&json!({"data": null}), FIELDS),
            json!({"data": null})
        );
    }
}

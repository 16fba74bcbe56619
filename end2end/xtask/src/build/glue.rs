//! The JavaScript that wasm-bindgen writes, cut down to what a page needs.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::tools::{self, Minify};
use crate::progress::Step;
use crate::workspace::Workspace;

/// A module's glue, in a folder of its own.
pub struct Glue {
    /// As wasm-bindgen wrote it.
    pub js: PathBuf,
    pub wasm: PathBuf,
    /// Exports to the page what it calls, so that the minifier drops the rest.
    public: PathBuf,
}

impl Glue {
    /// Describes what wasm-bindgen wrote into a folder, for a page that calls the start and one `entry`.
    pub fn prepare(folder: &Path, stem: &str, entry: &str) -> Result<Self> {
        // Tells Node.js, which checks that the module loads, that this is an ES module.
        fs::write(folder.join("package.json"), r#"{"type":"module"}"#)?;
        let public = folder.join("public.js");
        fs::write(&public, format!("export {{ default, {entry} }} from './{stem}.js';\n"))?;
        Ok(Self { js: folder.join(format!("{stem}.js")), wasm: folder.join(format!("{stem}_bg.wasm")), public })
    }

    pub fn minify(&self, workspace: &Workspace, step: &Step) -> Result<Vec<u8>> {
        tools::minify(workspace, step, Minify::Module, &self.public)
    }

    /// Lets the minifier drop classes that nothing names: wasm-bindgen writes effects beside them.
    pub fn unbind_classes(&self) -> Result<()> {
        Ok(fs::write(&self.js, without_class_effects(&fs::read_to_string(&self.js)?))?)
    }

    /// Gives names of the module their new ones.
    pub fn rename(&self, renamed: &[(String, String)]) -> Result<()> {
        let mut glue = fs::read_to_string(&self.js)?;
        for (long, short) in renamed {
            glue = glue.replace(long, short);
        }
        Ok(fs::write(&self.js, glue)?)
    }

    /// Drops the functions that the optimised module no longer imports.
    pub fn drop_imports_except(&self, imports: &BTreeSet<String>) -> Result<()> {
        Ok(fs::write(&self.js, without_imports(&fs::read_to_string(&self.js)?, imports))?)
    }
}

/// Whether a name holds a hash of wasm-bindgen or of the compiler: nobody chose it then.
pub fn has_hash(name: &str) -> bool {
    name.split(['_', 'h']).any(|part| part.len() == 16 && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// The new name of the one with this number.
pub fn short_name(number: usize) -> String {
    format!("__wb{number}")
}

/// Whether a JavaScript text holds this name as a whole word.
pub fn names(javascript: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    javascript.match_indices(name).any(|(start, _)| {
        !javascript[..start].ends_with(is_word) && !javascript[start + name.len()..].starts_with(is_word)
    })
}

/// The glue without the entries of its import object whose names are not among `imports`.
///
/// wasm-bindgen writes the object as `    const import0 = {`, its entries with eight spaces before their names, and
/// `    };`. An entry that looks otherwise stays.
fn without_imports(glue: &str, imports: &BTreeSet<String>) -> String {
    let mut kept = String::with_capacity(glue.len());
    let (mut in_object, mut dropping) = (false, false);
    for line in glue.split_inclusive('\n') {
        if line.starts_with("    const import") {
            in_object = true;
        } else if line.starts_with("    };") {
            (in_object, dropping) = (false, false);
        } else if let Some(name) = entry_name(line).filter(|_| in_object) {
            dropping = name.starts_with("__wb") && !imports.contains(name);
        }
        if !dropping {
            kept.push_str(line);
        }
    }
    kept
}

/// The glue with classes that only live as long as something names them: without their `Symbol.dispose`, and with their
/// registries marked as free of effects.
fn without_class_effects(glue: &str) -> String {
    let lines = glue.split_inclusive('\n').filter(|line| !line.starts_with("if (Symbol.dispose) "));
    lines.collect::<String>().replace(" new FinalizationRegistry(", " /* @__PURE__ */ new FinalizationRegistry(")
}

fn entry_name(line: &str) -> Option<&str> {
    let (name, _) = line.strip_prefix("        ")?.split_once(':')?;
    name.chars().all(|c| c.is_alphanumeric() || c == '_').then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_hash_is_told_from_one_that_people_chose() {
        for hashed in
            ["__wbg_get_2080c49015e35254", "wasm_bindgen_1686652f377147aa___convert__closures_____invoke_______true_"]
        {
            assert!(has_hash(hashed), "{hashed}");
        }
        for chosen in ["mount", "memory", "__wbindgen_malloc", "__externref_table_alloc", "__wbg_new_123"] {
            assert!(!has_hash(chosen), "{chosen}");
        }
        assert!(entry_name(&format!("        {}: function() {{", short_name(7))).is_some());
    }

    const GLUE: &str = "function __wbg_get_imports() {
    const import0 = {
        __proto__: null,
        __wbg_apply_1: function() { return handleError(function (arg0) {
            return arg0.apply();
        }, arguments); },
        __wbg_buffer_2: function(arg0) {
            return arg0.buffer;
        },
        __wbindgen_cast_3: function(arg0) {
            return arg0;
        },
    };
    return { __proto__: null, \"./x_bg.js\": import0 };
}
";

    #[test]
    fn imports_that_the_module_lost_go_and_the_others_stay_whole() {
        let imports = BTreeSet::from(["__wbg_buffer_2".to_owned()]);
        let expected = "function __wbg_get_imports() {
    const import0 = {
        __proto__: null,
        __wbg_buffer_2: function(arg0) {
            return arg0.buffer;
        },
    };
    return { __proto__: null, \"./x_bg.js\": import0 };
}
";
        assert_eq!(without_imports(GLUE, &imports), expected);
    }

    #[test]
    fn a_class_keeps_nothing_beside_it_that_would_keep_the_class() {
        let glue = "class A {}
if (Symbol.dispose) A.prototype[Symbol.dispose] = A.prototype.free;
const AFinalization = (typeof FinalizationRegistry === 'undefined')
    ? {}
    : new FinalizationRegistry(ptr => wasm.a_free(ptr, 1));
";
        let expected = "class A {}
const AFinalization = (typeof FinalizationRegistry === 'undefined')
    ? {}
    : /* @__PURE__ */ new FinalizationRegistry(ptr => wasm.a_free(ptr, 1));
";
        assert_eq!(without_class_effects(glue), expected);
    }

    #[test]
    fn a_name_is_found_as_a_whole_word_only() {
        assert!(names("a.mount(b)", "mount"));
        assert!(names("a.mount_2(b.mount)", "mount"));
        assert!(!names("a.mount_2(b)", "mount"));
        assert!(!names("a.$mount(b)", "mount"));
    }
}

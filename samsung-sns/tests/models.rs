//! `docs/models.md` says what the table says.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // a test helps itself, and reads files

use samsung_sns::model::markdown;
use std::path::Path;

#[test]
fn the_page_is_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/models.md");
    if std::fs::read_to_string(&path).ok().as_deref() != Some(&markdown()) {
        let failed = path.with_extension("md.failed");
        std::fs::write(&failed, markdown()).unwrap();
        panic!("docs/models.md is not what model.rs says; see {}", failed.display());
    }
}

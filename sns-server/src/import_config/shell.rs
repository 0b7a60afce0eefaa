//! `[SHELL]` and its instances.

use super::drafts::{Destinations, Draft};
use super::old::{Family, Inherits, Shell};
use super::toml_text::Toml;

pub(super) fn write(
    shell: &Family<'_, Shell<'_>>,
    new: &mut Toml,
    destinations: &mut Destinations,
) {
    let base = &shell.base;
    let has_base =
        base.cmd.is_some() && destinations.write("shell", draft("shell", None, base), new);
    for (instance, own) in &shell.instances {
        let (name, all) = (format!("shell-{instance}"), own.over(base));
        if all.cmd.is_none() {
            destinations.leave_out(name, "had no CMD", new);
            continue;
        }
        let draft = match has_base {
            true => draft(&name, Some("shell"), own),
            false => draft(&name, None, &all),
        };
        destinations.write(&name, draft, new);
    }
}

fn draft(name: &str, extends: Option<&'static str>, said: &Shell<'_>) -> Draft {
    let mut draft = Draft { extends, ..Draft::default() };
    draft.text.table(&["destinations", name]);
    match extends {
        Some(base) => draft.text.key("extends", base),
        None => draft.text.key("type", "command"),
    }
    if let Some(cmd) = &said.cmd {
        draft.text.key("argv", &cmd.value[..]);
    }
    if let Some(stdin) = said.stdin {
        draft.text.key("stdin", stdin);
    }
    draft
}

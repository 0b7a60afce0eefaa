//! `sns-cli models`: what is known of each camera.
//!
//! Law: the table is the core's; what is not known says "unknown".

use crate::{Outcome, habits, print};
use clap::Args;
use samsung_sns::model::{MODELS, Model};
use std::io::{self, Write};

/// Which model.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Only this model, as printed on the camera; without it all, in a line each
    name: Option<String>,
}

/// Prints one model, or all in a line each.
pub(crate) fn run(arguments: &Arguments, out: &mut dyn Write) -> io::Result<Outcome> {
    let Some(name) = &arguments.name else {
        writeln!(
            out,
            "{:<10} {:<15} {:<9} {:<17} sends",
            "model", "generation", "support", "hotspot"
        )?;
        for model in MODELS {
            let Model { name, generation, support, sends, .. } = model;
            let (support, hotspot) = (support.to_string(), hotspot(model));
            writeln!(out, "{name:<10} {generation:<15} {support:<9} {hotspot:<17} {sends}")?;
        }
        return Ok(Outcome::Good);
    };
    let model = match habits::model(name) {
        Ok(model) => model,
        Err(error) => {
            print::complain(&format!("{name}: {error}"));
            return Ok(Outcome::Impossible);
        }
    };
    let known = |text: &'static str| if text.is_empty() { "nothing known" } else { text };
    writeln!(out, "{}", model.name)?;
    writeln!(out, "  generation             {}", model.generation)?;
    writeln!(out, "  support (Feb 2025)     {}", model.support)?;
    writeln!(out, "  sends                  {}", model.sends)?;
    writeln!(out, "  hotspot check          {}", hotspot(model))?;
    writeln!(out, "  firmware seen working  {}", model.firmware.unwrap_or("unknown"))?;
    writeln!(out, "  remarks                {}", known(model.remarks))?;
    Ok(Outcome::Good)
}

fn hotspot(model: &Model) -> String {
    model.hotspot.map_or("unknown".to_owned(), |check| check.to_string())
}

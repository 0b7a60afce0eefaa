//! The gateway server as a library: the binary is a command line around it.
//!
//! The files follow a byte, once root has been given up ([`privileges`]): [`listen`] accepts as many
//! as the [`crowd`] has room for, [`connection`] reads the head and lets hyper do the rest, [`body`]
//! brings what follows, [`app`] asks the gateway what it means, [`receive`] streams files into the
//! [`spool`], which keeps them under harmless [`names`] and records them in the [`ledger`];
//! [`answer_writer`] sends the answer in one write. Then the [`outbox`] brings them where a [`route`]
//! says: to a [`destination`].
//!
//! For people: [`web`] is what a browser shows, [`queue`] and [`check`] are subcommands; what happens is
//! counted in the [`metrics`], which the owner reads at a listener of their own, the [`admin`]'s.

pub mod admin;
pub mod ahead;
pub mod answer_writer;
pub mod app;
pub mod body;
pub mod check;
pub mod clock;
pub mod config;
pub mod connection;
pub mod crowd;
pub mod destination;
pub mod disk;
pub mod import_config;
mod interface;
pub mod ledger;
pub mod listen;
pub mod mastodon_login;
pub mod metrics;
pub mod names;
pub mod outbox;
pub mod passwords;
pub mod privileges;
pub mod queue;
pub mod receive;
pub mod route;
pub mod spool;
pub mod systemd;
pub mod uploads;
pub mod web;

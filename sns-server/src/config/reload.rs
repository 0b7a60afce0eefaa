//! What a new configuration changes while the server runs, and what it cannot.
//!
//! Law: every key that a running server does not take over is named here, so that nobody waits for
//! a change that never comes.

use super::Config;

impl Config {
    /// The keys in which `new` differs from this one, with which the server was started, and that
    /// need a restart.
    pub fn needs_restart(&self, new: &Config) -> Vec<&'static str> {
        let owner = |config: &Config| config.admin.as_ref().map(|admin| admin.listen);
        let differs = [
            ("listen", self.listen != new.listen),
            ("data_dir", self.data_dir != new.data_dir),
            ("run_as", self.run_as != new.run_as),
            ("admin.listen", owner(self) != owner(new)),
        ];
        differs.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect()
    }
}

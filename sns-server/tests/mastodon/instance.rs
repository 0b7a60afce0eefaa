//! A running double of an instance.

use crate::wire::{self, Certificate};
use crate::world::{Fault, Flavour, Status, TOKEN, World};
use sns_server::destination::mastodon::{Keys, Mastodon, Patience};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// What all its connections share.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    world: Arc<Mutex<World>>,
    /// A request reached [`Fault::DoneThenTell`].
    pub(crate) told: Arc<Notify>,
    /// One for each open connection, and this one.
    connections: Arc<()>,
}

impl Shared {
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// An instance. Dropped, it fails the test if a request deviated from the published API.
pub(crate) struct Instance {
    pub(crate) shared: Shared,
    pub(crate) address: SocketAddr,
    scheme: &'static str,
    task: JoinHandle<()>,
}

/// Long enough for a busy machine, where no silence is tested.
pub(crate) const PATIENT: Patience = Patience {
    silence: Duration::from_secs(60),
    processing: Duration::from_secs(60),
    poll: Duration::from_millis(5),
};

impl Instance {
    pub(crate) async fn start(flavour: Flavour) -> Instance {
        Instance::start_with(flavour, None).await
    }

    pub(crate) async fn start_with(flavour: Flavour, tls: Option<Certificate>) -> Instance {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        // As little as a slow link has under way.
        socket2::SockRef::from(&listener).set_recv_buffer_size(64 * 1024).unwrap();
        let address = listener.local_addr().unwrap();
        let world = Arc::new(Mutex::new(World::new(flavour)));
        let shared = Shared { world, told: Arc::default(), connections: Arc::default() };
        let scheme = if tls.is_some() { "https" } else { "http" };
        let task = tokio::spawn(wire::serve(listener, tls, shared.clone()));
        Instance { shared, address, scheme, task }
    }

    /// Nobody listens any more.
    pub(crate) async fn shuts_down(&self) {
        self.task.abort();
        while !self.task.is_finished() {
            tokio::task::yield_now().await;
        }
    }

    /// What clients that are gone have sent was read to its end.
    pub(crate) async fn is_quiet(&self) {
        // Its own, and that of the task that accepts.
        while Arc::strong_count(&self.shared.connections) > 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.shared.world()
    }

    /// The next call to a path has this fault.
    pub(crate) fn fault(&self, path: &'static str, fault: Fault) {
        self.world().faults.push_back((path, fault));
    }

    pub(crate) fn url(&self) -> String {
        // TLS certificates are for names.
        let host = if self.scheme == "https" { "localhost" } else { "127.0.0.1" };
        format!("{}://{host}:{}", self.scheme, self.address.port())
    }

    /// The destination that posts here, with more keys of its configuration.
    pub(crate) fn mastodon(&self, more: &str) -> Mastodon {
        self.patient(more, PATIENT)
    }

    pub(crate) fn patient(&self, more: &str, patience: Patience) -> Mastodon {
        let toml = format!("server = '{}'\ntoken = '{TOKEN}'\n{more}", self.url());
        let keys: Keys = toml::from_str(&toml).unwrap();
        Mastodon::with_patience(keys, patience).unwrap()
    }

    /// Statuses in the order they were posted.
    pub(crate) fn statuses(&self) -> Vec<Status> {
        self.world().statuses.clone()
    }

    /// How many statuses and files there are.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let world = self.world();
        (world.statuses.len(), world.media.len())
    }

    /// How often a call was made.
    pub(crate) fn requests(&self, request: &str) -> usize {
        self.world().requests.iter().filter(|made| made.starts_with(request)).count()
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.task.abort();
        let deviations = std::mem::take(&mut self.world().deviations);
        if !deviations.is_empty() && !std::thread::panicking() {
            panic!("not as the API is published: {deviations:#?}");
        }
    }
}

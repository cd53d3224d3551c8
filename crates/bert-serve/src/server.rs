//! The server: bind, run, shut down.

use std::{
    net::{SocketAddr, TcpListener},
    sync::{Arc, atomic::AtomicBool},
};

use rustls::ServerConfig;
use tokio::{
    net,
    runtime::{Builder, Runtime},
    sync::watch,
    time::timeout_at,
};
use tokio_rustls::TlsAcceptor;

use crate::{
    Model, ServeConfig, ServeError, connections,
    hosts::HostRule,
    metrics::Metrics,
    models::{Models, repeated_name},
    routes::{Shared, router},
    tls::TlsFiles,
};

/// A server that listens and does not serve yet.
#[derive(Debug)]
pub struct Server {
    config: ServeConfig,
    address: SocketAddr,
    runtime: Runtime,
    listener: net::TcpListener,
    tls: Option<Arc<ServerConfig>>,
    stop: watch::Sender<bool>,
}

/// Ends a server, from any thread. It may be cloned, and used more than once.
#[derive(Debug, Clone)]
pub struct ShutdownHandle(watch::Sender<bool>);

/// How a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// What was in flight was finished.
    Drained,
    /// The time was up and connections were cut off. A model's thread may still be at work.
    CutOff {
        /// Connections with an answer outstanding.
        connections: usize,
    },
}

impl ShutdownHandle {
    /// Tells the server to say that it is not ready, and after the delay of the settings to accept nothing more, finish what is in flight, and end.
    pub fn shutdown(&self) {
        self.0.send_replace(true);
    }
}

impl Server {
    /// Checks the settings and listens.
    ///
    /// # Errors
    ///
    /// Fails where the settings do not [hold](ServeConfig::validate), where the address cannot be listened on, and where
    /// the system is short of what a server needs.
    pub fn bind(config: ServeConfig) -> Result<Self, ServeError> {
        config.validate()?;
        let tls = config.tls.as_ref().map(TlsFiles::config).transpose()?;
        let address = config.address;
        let refused = |source| ServeError::Bind { address, source };
        let listener = TcpListener::bind(address).map_err(refused)?;
        listener.set_nonblocking(true).map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let start = |source| ServeError::Start { address, source };
        // One thread for all connections leaves the other cores to the model.
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(start)?;
        let entered = runtime.enter();
        let listener = net::TcpListener::from_std(listener).map_err(start)?;
        drop(entered);
        Ok(Self {
            config,
            address,
            runtime,
            listener,
            tls,
            stop: watch::Sender::new(false),
        })
    }

    /// Where it listens: with the port that the system chose, where the settings say 0.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// What ends the server.
    #[must_use]
    pub fn shutdown_handle(&self) -> ShutdownHandle {
        ShutdownHandle(self.stop.clone())
    }

    /// Serves until it is told to end. Connections are served on this thread, the questions of each model answered on one
    /// of its own.
    ///
    /// # Errors
    ///
    /// Fails where there is no model, where two have one name, and where a model's thread cannot be started.
    pub fn run(self, models: Vec<Model>) -> Result<Ended, ServeError> {
        if models.is_empty() {
            return Err(ServeError::NoModel);
        }
        if let Some(name) = repeated_name(&models) {
            return Err(ServeError::SameName { name });
        }
        let Self {
            config,
            address,
            runtime,
            listener,
            tls,
            stop,
        } = self;
        let metrics = Arc::new(Metrics::new());
        let (models, workers) = Models::start(models, &config, &metrics)
            .map_err(|source| ServeError::Start { address, source })?;
        let shared = Arc::new(Shared {
            hosts: HostRule::new(&config),
            models,
            metrics: Arc::clone(&metrics),
            ending: AtomicBool::new(false),
            config,
        });
        let connections = runtime.block_on(async move {
            let router = router(Arc::clone(&shared));
            let serving = connections::serve(
                listener,
                tls.map(TlsAcceptor::from),
                router,
                Arc::clone(&shared),
                stop.subscribe(),
            );
            let (cut_off, deadline) = serving.await;
            shared.models.close();
            // A thread may still be at work on a question of a client that was cut off.
            for worker in workers {
                drop(timeout_at(deadline, worker.ended).await);
            }
            cut_off
        });
        Ok(if connections == 0 {
            Ended::Drained
        } else {
            Ended::CutOff { connections }
        })
    }
}

//! Connections: accepted, limited, served, drained.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    pin, select,
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{Instant, sleep, timeout, timeout_at},
};
use tokio_rustls::TlsAcceptor;

use crate::{around::CLIENT, routes::Shared, stalls::NoStalls};

/// Bytes that the head of a request may have, about.
const HEAD_LIMIT: usize = 64 << 10;

/// How long to wait after the system refused a connection, for instance for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop` holds `true`, then finishes requests in flight. Returns how many connections were cut off, and the
/// deadline of the shutdown.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    shared: Arc<Shared>,
    stop: watch::Receiver<bool>,
) -> (usize, Instant) {
    // Connections are kept until nothing more is accepted.
    let draining = watch::Sender::new(false);
    let permits = Arc::new(Semaphore::new(shared.config.max_connections));
    let mut tasks = JoinSet::new();
    let mut ending = stop.clone();
    let last = async {
        stopped(&mut ending).await;
        // Who asks whether the server is ready hears it before connections are refused.
        shared.ending.store(true, Ordering::Relaxed);
        sleep(shared.config.drain_delay).await;
    };
    pin!(last);
    loop {
        // Above the limit, a connection waits in the system's queue.
        let accepted = select! {
            biased;
            () = &mut last => break,
            accepted = async {
                let permit = Arc::clone(&permits).acquire_owned().await.ok();
                (permit, listener.accept().await)
            } => accepted,
        };
        while tasks.try_join_next().is_some() {}
        match accepted {
            (permit, Ok((stream, client))) => {
                let connection = connection(
                    stream,
                    tls.clone(),
                    router.clone(),
                    Arc::clone(&shared),
                    draining.subscribe(),
                );
                tasks.spawn(CLIENT.scope(client, async move {
                    connection.await;
                    drop(permit);
                }));
            }
            (_, Err(error)) => {
                tracing::warn!("a connection was not accepted: {error}");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    draining.send_replace(true);
    let deadline = Instant::now() + shared.config.shutdown_timeout;
    let drained = timeout_at(deadline, async {
        while tasks.join_next().await.is_some() {}
    });
    if drained.await.is_ok() {
        return (0, deadline);
    }
    while tasks.try_join_next().is_some() {}
    let cut_off = tasks.len();
    tasks.shutdown().await;
    (cut_off, deadline)
}

/// Waits until the server is told to shut down.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, which ends the server too.
    drop(stop.wait_for(|stop| *stop).await);
}

/// Counts an open connection.
struct Open(Arc<Shared>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.metrics.connections.dec();
    }
}

async fn connection(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    router: Router,
    shared: Arc<Shared>,
    stop: watch::Receiver<bool>,
) {
    shared.metrics.connections.inc();
    let _open = Open(Arc::clone(&shared));
    let config = &shared.config;
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!("a connection waits for full packets: {error}");
    }
    let stream = NoStalls::new(stream, config.write_timeout);
    let Some(acceptor) = tls else {
        return exchange(stream, router, &shared, stop).await;
    };
    // A handshake counts as the head of the first request.
    match timeout(config.header_timeout, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => exchange(stream, router, &shared, stop).await,
        Ok(Err(error)) => tracing::debug!("a connection was not encrypted: {error}"),
        Err(_) => tracing::debug!("a connection was not encrypted in time"),
    }
}

/// Answers the requests of a connection.
async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    shared: &Shared,
    mut stop: watch::Receiver<bool>,
) {
    let config = &shared.config;
    let stream = TokioIo::new(stream);
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(config.header_timeout)
        .max_buf_size(HEAD_LIMIT)
        .serve_connection(stream, TowerToHyperService::new(router));
    pin!(served);
    let ended = select! {
        ended = served.as_mut() => ended,
        () = stopped(&mut stop) => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        // The client was slow, sent bad bytes or disconnected; the server is fine.
        tracing::debug!("a connection ended early: {error}");
    }
}

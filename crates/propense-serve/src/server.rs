//! The service as a whole: opened, run, stopped in order.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};

use crate::files::Files;
use crate::gathering::Gatherer;
use crate::http::{App, Client, Guard, Kept, ManifestCache, permits, router};
use crate::learning::{Cycle, Learner};
use crate::metrics::Metrics;
use crate::patience::Patient;
use crate::queue::Queue;
use crate::store::Store;
use crate::stream::{self, Source};
use crate::{Learning, ServeError, Settings};

/// The service, listening but not yet answering.
#[derive(Debug)]
pub struct Service {
    listener: TcpListener,
    address: SocketAddr,
    app: Arc<App>,
    source: Option<Source>,
    learner: Option<(Arc<dyn Learner>, Learning)>,
    writer: JoinHandle<()>,
}

impl Service {
    /// Opens the folder, the database and the port.
    ///
    /// # Errors
    /// Where one of them cannot be had, or nobody could be told from anybody: see [`ServeError`].
    pub async fn open(settings: Settings) -> Result<Self, ServeError> {
        settings.check()?;
        let source = settings.stream.as_deref().map(Source::parse).transpose()?;
        let files = Files::open(&settings.dir)?;
        let store = match &settings.database {
            Some(address) => Store::open(address).await?,
            None => Store::open_file(&settings.dir.join("propense.db")).await?,
        };
        let listen = async || {
            let listener = TcpListener::bind(settings.listen).await?;
            let address = listener.local_addr()?;
            Ok((listener, address))
        };
        let (listener, address) = listen().await.map_err(|source| ServeError::Listen {
            address: settings.listen.to_string(),
            source,
        })?;
        let (store, metrics) = (Arc::new(store), Arc::new(Metrics::new()));
        let size = settings.limits.queue.max(settings.limits.events);
        let (queue, writer) = Queue::start(Arc::clone(&store), size, Arc::clone(&metrics));
        let files = Arc::new(files);
        let gatherer = settings.contributions.clone().map(|contributions| {
            let (store, files) = (Arc::clone(&store), Arc::clone(&files));
            Gatherer::new(store, files, Arc::clone(&metrics), contributions)
        });
        let app = App {
            store,
            files,
            queue,
            metrics,
            guard: Guard::new(&settings),
            limits: settings.limits,
            static_dir: settings.static_dir,
            bytes: Kept::default(),
            scorers: Kept::default(),
            manifest: ManifestCache::default(),
            gatherer,
            scoring: Arc::new(Semaphore::new(permits())),
            stopping: AtomicBool::new(false),
        };
        Ok(Self {
            listener,
            address,
            app: Arc::new(app),
            source,
            learner: None,
            writer,
        })
    }

    /// Has what is stored learnt from while the service runs.
    pub fn learn(&mut self, learner: Arc<dyn Learner>, learning: Learning) {
        self.learner = Some((learner, learning));
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The stored events and the registry, for what runs in the same process.
    #[must_use]
    pub fn store(&self) -> Arc<Store> {
        Arc::clone(&self.app.store)
    }

    /// Publishes this bundle and promotes it to everybody, unless one is promoted already.
    ///
    /// # Errors
    /// Where the bundle is none, or cannot be stored.
    pub async fn begin_with(&self, bundle: Vec<u8>) -> Result<(), ServeError> {
        self.app.begin_with(bundle).await
    }

    /// Answers requests until `stop` resolves. What has been acknowledged by then is on disk;
    /// requests in progress are finished, as far as they are within [`crate::Limits::grace`].
    ///
    /// # Errors
    /// Where the registry cannot be read.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), ServeError> {
        let Self {
            listener,
            address,
            app,
            source,
            learner,
            writer,
        } = self;
        app.moved().await?;
        let (tell, told) = watch::channel(false);
        let consumer = source.map(|source| {
            let (store, queue) = (Arc::clone(&app.store), app.queue.clone());
            let metrics = Arc::clone(&app.metrics);
            tokio::spawn(stream::consume(source, store, queue, metrics, told.clone()))
        });
        let learning = learner.map(|(learner, learning)| {
            // Not the queue, whose writer is waited for: learning may take longer to stop.
            let parts = (&app.store, &app.files, &app.metrics);
            let parts = (
                Arc::clone(parts.0),
                Arc::clone(parts.1),
                Arc::clone(parts.2),
            );
            tokio::spawn(Cycle::new(parts, learner, learning).run(told.clone()))
        });
        tracing::info!(%address, "listening");
        let mut open = JoinSet::new();
        accept(listener, &app, &mut open, &told, stop).await;

        tracing::info!(open = open.len(), "stopping");
        app.stopping.store(true, Ordering::SeqCst);
        // The listener is closed; whoever is being answered is answered.
        let _ = tell.send(true);
        let rest = async { while open.join_next().await.is_some() {} };
        if tokio::time::timeout(app.limits.grace, rest).await.is_err() {
            tracing::warn!(open = open.len(), "requests were cut off");
            open.shutdown().await;
        }
        if let Some(consumer) = consumer {
            // It ends at the word; a panic there has been reported.
            let _ = consumer.await;
        }
        if let Some(mut learning) = learning
            && tokio::time::timeout(app.limits.grace, &mut learning)
                .await
                .is_err()
        {
            learning.abort();
            tracing::warn!("a round of learning was cut off; it will be done again");
        }
        let store = Arc::clone(&app.store);
        // The last way to the queue: the writer finishes what is in it.
        drop(app);
        let _ = writer.await;
        store.close().await;
        tracing::info!("stopped");
        Ok(())
    }
}

/// Takes connections until told to stop.
async fn accept(
    listener: TcpListener,
    app: &Arc<App>,
    open: &mut JoinSet<()>,
    told: &watch::Receiver<bool>,
    stop: impl Future<Output = ()>,
) {
    let routes = router(app);
    let room = Arc::new(Semaphore::new(app.limits.connections));
    let mut tidy = tokio::time::interval(Duration::from_secs(60));
    let mut stop = pin!(stop);
    loop {
        let next = async {
            // Beyond the limit they wait in the system's queue.
            let permit = Arc::clone(&room).acquire_owned().await;
            (listener.accept().await, permit)
        };
        tokio::select! {
            () = &mut stop => return,
            _ = tidy.tick() => {
                app.guard.tidy();
                app.gatherer.iter().for_each(Gatherer::tidy);
            }
            Some(_) = open.join_next() => {}
            (accepted, permit) = next => match accepted {
                Ok((stream, client)) => {
                    let (routes, app, told) = (routes.clone(), Arc::clone(app), told.clone());
                    open.spawn(async move {
                        let _permit = permit;
                        app.metrics.connected(1);
                        connection(stream, client, routes, &app, told).await;
                        app.metrics.connected(-1);
                    });
                }
                Err(error) => {
                    // Too many open files, most often: closing some takes a moment.
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
        }
    }
}

/// Answers the requests of one connection.
async fn connection(
    stream: TcpStream,
    client: SocketAddr,
    routes: Router,
    app: &App,
    mut told: watch::Receiver<bool>,
) {
    // Answers are small and whole: there is nothing to gather.
    let _ = stream.set_nodelay(true);
    let routes = TowerToHyperService::new(routes);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Client(client.ip()));
        routes.call(request)
    });
    let io = TokioIo::new(Patient::new(stream, app.limits.transfer));
    // HTTP/1.1 alone: a proxy that speaks TLS with the world speaks this here.
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(app.limits.head)
        .serve_connection(io, service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = async { let _ = told.wait_for(|told| *told).await; } => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, %client, "a connection ended early");
    }
}

#[cfg(test)]
mod tests;

//! A listener whose connections can be broken on purpose, byte by byte: a framework's own server always
//! finishes an answer that it has begun, and a lost answer must not leave even the status line behind.

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// What shall become of the answer that is written next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fate {
    #[default]
    Whole,
    /// Nothing is sent; the connection closes.
    Lost,
    /// So many bytes (head included) are sent, then the connection closes.
    CutAfter(usize),
    /// A few bytes at a time with a pause between.
    Slow { bytes: usize, pause: Duration },
}

/// The handler's end of the cable: request extension `ConnectInfo<Cable>`.
#[derive(Debug, Clone, Default)]
pub struct Cable(Arc<Mutex<Fate>>);

impl Cable {
    pub fn set(&self, fate: Fate) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = fate;
    }

    fn fate(&self) -> Fate {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Connected<IncomingStream<'_, CableListener>> for Cable {
    fn connect_info(stream: IncomingStream<'_, CableListener>) -> Self {
        stream.remote_addr().clone()
    }
}

/// See [`serve`]; an application that wants a graceful end hands it to `axum::serve` itself.
#[derive(Debug)]
pub struct CableListener(pub TcpListener);

impl Listener for CableListener {
    type Io = CableStream;
    type Addr = Cable;

    async fn accept(&mut self) -> (CableStream, Cable) {
        loop {
            match self.0.accept().await {
                Ok((tcp, _)) => {
                    // Small answers must not wait for the peer's acknowledgement.
                    let _ = tcp.set_nodelay(true);
                    let cable = Cable::default();
                    return (CableStream { tcp, cable: cable.clone(), pause: None }, cable);
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<Cable> {
        Ok(Cable::default())
    }
}

/// Serves the router behind a listener whose connections can be broken, until the task is dropped.
pub async fn serve(tcp: TcpListener, router: axum::Router) -> io::Result<()> {
    axum::serve(CableListener(tcp), router.into_make_service_with_connect_info::<Cable>()).await
}

/// A connection that obeys its cable.
#[derive(Debug)]
pub struct CableStream {
    tcp: TcpStream,
    cable: Cable,
    pause: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl AsyncRead for CableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(context, into)
    }
}

impl AsyncWrite for CableStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Some(pause) = &mut self.pause {
            std::task::ready!(pause.as_mut().poll(context));
            self.pause = None;
        }
        match self.cable.fate() {
            Fate::Whole => Pin::new(&mut self.tcp).poll_write(context, bytes),
            Fate::Lost | Fate::CutAfter(0) => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            Fate::CutAfter(left) => {
                let part = &bytes[..left.min(bytes.len())];
                let written = std::task::ready!(Pin::new(&mut self.tcp).poll_write(context, part))?;
                self.cable.set(Fate::CutAfter(left - written));
                Poll::Ready(Ok(written))
            }
            Fate::Slow { bytes: some, pause } => {
                let part = &bytes[..some.max(1).min(bytes.len())];
                let written = std::task::ready!(Pin::new(&mut self.tcp).poll_write(context, part))?;
                self.pause = Some(Box::pin(tokio::time::sleep(pause)));
                Poll::Ready(Ok(written))
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(context)
    }
}

//! What lies between the program and another system, and what a test does to it.

use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A way to an HTTP server on which one request of a kind is held back, whole, until it is let go: the first after it
/// was asked for. Whoever sent it may be dead by then.
pub struct HeldBack {
    pub url: String,
    hold: watch::Sender<bool>,
    request: watch::Receiver<Option<String>>,
    go: watch::Sender<bool>,
}

impl HeldBack {
    /// The request, when all its bytes have left the program.
    pub async fn request(&self) -> String {
        let mut request = self.request.clone();
        let held = request.wait_for(Option::is_some).await.expect("the way is open");
        held.clone().expect("just looked at")
    }

    pub fn hold(&self) {
        self.hold.send_replace(true);
    }

    pub fn let_go(&self) {
        self.go.send_replace(true);
    }
}

/// `kind` is how the request begins.
pub async fn holding_back(url: &str, kind: &'static str) -> HeldBack {
    let to = url.trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let at = listener.local_addr().expect("it is bound");
    let (held, request) = watch::channel(None);
    let (go, gone) = watch::channel(false);
    let (hold, holds) = watch::channel(false);
    tokio::spawn(async move {
        let held = Arc::new(held);
        while let Ok((near, _)) = listener.accept().await {
            let Ok(far) = TcpStream::connect(&to).await else { continue };
            let asked = (kind, holds.clone());
            tokio::spawn(carry(near, far, asked, held.clone(), gone.clone()));
        }
    });
    HeldBack { url: format!("http://{at}"), hold, request, go }
}

async fn carry(
    near: TcpStream,
    far: TcpStream,
    (kind, holds): (&'static str, watch::Receiver<bool>),
    held: Arc<watch::Sender<Option<String>>>,
    mut gone: watch::Receiver<bool>,
) {
    let (mut near_in, mut near_out) = near.into_split();
    let (mut far_in, mut far_out) = far.into_split();
    // To its end, whether or not anybody is left to hear the answers.
    let answers = tokio::spawn(async move {
        let mut bytes = vec![0; 64 << 10];
        let mut is_heard = true;
        while let Ok(read @ 1..) = far_in.read(&mut bytes).await {
            is_heard = is_heard && near_out.write_all(&bytes[..read]).await.is_ok();
        }
    });
    let mut bytes = vec![0; 64 << 10];
    while let Ok(read @ 1..) = near_in.read(&mut bytes).await {
        let mut some = bytes[..read].to_vec();
        if *holds.borrow() && some.starts_with(kind.as_bytes()) && held.borrow().is_none() {
            while !is_whole(&some) {
                let Ok(more @ 1..) = near_in.read(&mut bytes).await else { return };
                some.extend_from_slice(&bytes[..more]);
            }
            let text = String::from_utf8_lossy(&some).into_owned();
            let is_first = held.send_if_modified(|of| {
                let is_first = of.is_none();
                if is_first {
                    *of = Some(text);
                }
                is_first
            });
            if is_first && gone.wait_for(|gone| *gone).await.is_err() {
                return;
            }
        }
        if far_out.write_all(&some).await.is_err() {
            return;
        }
    }
    // A server may drop what it works on when it sees this end close.
    let _ = answers.await;
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, _)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    request.len() >= head.len() + 4 + length.unwrap_or(0)
}

/// The network between the program and a database.
#[derive(Clone, Copy, Default)]
struct Weather {
    /// Nothing goes through, and nobody is told. What is on its way waits.
    is_silent: bool,
    /// Connections older than this never carry anything again; newer ones do.
    forgotten: u32,
}

#[derive(Clone)]
pub struct Cable {
    /// The database's URL, through this cable.
    pub url: String,
    weather: Arc<watch::Sender<Weather>>,
}

impl Cable {
    pub fn go_silent(&self) {
        self.weather.send_modify(|weather| weather.is_silent = true);
    }

    pub fn let_through(&self) {
        self.weather.send_modify(|weather| weather.is_silent = false);
    }

    /// As a firewall does that lost its table: the connections there are stay silent for ever.
    pub fn forget(&self) {
        self.weather.send_modify(|weather| weather.forgotten += 1);
    }
}

/// `url` is that of a PostgreSQL: postgres://user@host:port/name.
pub async fn cable(url: &str) -> Cable {
    let (before, rest) = url.split_once('@').expect("a user");
    let (host, name) = rest.split_once('/').expect("a name");
    let host = host.to_owned();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let weather = Arc::new(watch::Sender::new(Weather::default()));
    let of_all = weather.subscribe();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let Ok(far) = TcpStream::connect(&host).await else { continue };
            let (near_in, near_out) = near.into_split();
            let (far_in, far_out) = far.into_split();
            let born = of_all.borrow().forgotten;
            tokio::spawn(pass(near_in, far_out, of_all.clone(), born));
            tokio::spawn(pass(far_in, near_out, of_all.clone(), born));
        }
    });
    Cable { url: format!("{before}@127.0.0.1:{port}/{name}"), weather }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut weather: watch::Receiver<Weather>,
    born: u32,
) {
    let mut bytes = vec![0; 64 << 10];
    loop {
        let read = from.read(&mut bytes).await.unwrap_or(0);
        // Not even an end is told.
        let through = |of: &Weather| !of.is_silent && born >= of.forgotten;
        if weather.wait_for(through).await.is_err() {
            return;
        }
        if read == 0 || to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}

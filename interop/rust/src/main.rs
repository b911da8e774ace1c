//! A rust-libp2p peer for Kith's interoperation tests. Commands come as JSON lines on standard input, answers and events
//! leave as JSON lines on standard output.

mod calls;
mod control;
mod frames;
mod golden;
mod node;
mod records;
mod serve;
mod session;

use std::sync::Arc;
use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::swarm::{NetworkBehaviour, Swarm};
use libp2p::{StreamProtocol, gossipsub, identify, identity, kad, noise, ping, relay, tcp, tls, yamux};
use serde_json::{Value as Json, json};
use tokio::io::AsyncBufReadExt;

use control::Shared;

#[derive(NetworkBehaviour)]
pub struct Behaviour {
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    kad: kad::Behaviour<kad::store::MemoryStore>,
    gossip: gossipsub::Behaviour,
    relay: Toggle<relay::Behaviour>,
    relayed: relay::client::Behaviour,
    streams: libp2p_stream::Behaviour,
}

type Fault = Box<dyn std::error::Error + Send + Sync>;

fn behaviour(key: &identity::Keypair, relayed: relay::client::Behaviour) -> Result<Behaviour, Fault> {
    let peer = key.public().to_peer_id();
    let mut kad = kad::Behaviour::with_config(
        peer,
        kad::store::MemoryStore::new(peer),
        kad::Config::new(StreamProtocol::new("/kith/kad/1.0.0")),
    );
    kad.set_mode(Some(kad::Mode::Server));
    let strict = gossipsub::ConfigBuilder::default().validation_mode(gossipsub::ValidationMode::Strict).build()?;
    Ok(Behaviour {
        identify: identify::Behaviour::new(
            identify::Config::new("ipfs/0.1.0".to_owned(), key.public())
                .with_agent_version("kith-interop-rust".to_owned()),
        ),
        ping: ping::Behaviour::new(ping::Config::new().with_interval(Duration::from_secs(1))),
        kad,
        gossip: gossipsub::Behaviour::new(gossipsub::MessageAuthenticity::Signed(key.clone()), strict)?,
        relay: Some(relay::Behaviour::new(peer, relay::Config::default())).into(),
        relayed,
        streams: libp2p_stream::Behaviour::new(),
    })
}

macro_rules! swarm_with {
    ($key:expr, $security:expr) => {
        libp2p::SwarmBuilder::with_existing_identity($key)
            .with_tokio()
            .with_tcp(tcp::Config::default().nodelay(true), $security, yamux::Config::default)?
            .with_relay_client($security, yamux::Config::default)?
            .with_behaviour(behaviour)?
            .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(600)))
            .build()
    };
}

fn swarm(key: identity::Keypair, security: &str) -> Result<Swarm<Behaviour>, Fault> {
    Ok(match security {
        "tls" => swarm_with!(key, tls::Config::new),
        "noise" => swarm_with!(key, noise::Config::new),
        "tls,noise" => swarm_with!(key, (tls::Config::new, noise::Config::new)),
        other => return Err(format!("nothing encrypts that is called {other:?}").into()),
    })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fault> {
    let arguments: Vec<String> = std::env::args().collect();
    let option = |name: &str| {
        let at = arguments.iter().position(|word| word == name)?;
        arguments.get(at + 1).cloned()
    };
    if let Some(path) = option("-golden") {
        println!("{}", golden::check(&path).await?);
        return Ok(());
    }
    let key = identity::Keypair::generate_ed25519();
    let swarm = swarm(key.clone(), &option("-security").unwrap_or("tls,noise".to_owned()))?;
    let shared = Arc::new(Shared::default());
    let streams = swarm.behaviour().streams.new_control();

    let mut calls = streams.clone().accept(StreamProtocol::new(frames::CALL_PROTOCOL))?;
    let serving = shared.clone();
    tokio::spawn(async move {
        while let Some((peer, stream)) = calls.next().await {
            tokio::spawn(serve::serve(serving.clone(), peer, stream));
        }
    });
    // Kith looks whether its links live with a ping of its own name.
    let mut pings = streams.clone().accept(StreamProtocol::new("/kith/ping/1.0.0"))?;
    let pinged = shared.clone();
    tokio::spawn(async move {
        while let Some((peer, mut stream)) = pings.next().await {
            pinged.event(json!({ "event": "pinged", "peer": peer.to_string() }));
            tokio::spawn(async move {
                let mut bytes = [0u8; 32];
                while stream.read_exact(&mut bytes).await.is_ok() && stream.write_all(&bytes).await.is_ok() {
                    if stream.flush().await.is_err() {
                        break;
                    }
                }
            });
        }
    });

    let (sender, commands) = tokio::sync::mpsc::unbounded_channel::<Json>();
    tokio::spawn(async move {
        let mut lines = tokio::io::BufReader::new(tokio::io::stdin()).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let Ok(command) = serde_json::from_str(&line) else { break };
            if sender.send(command).is_err() {
                break;
            }
        }
    });
    node::run(key, swarm, shared, streams, commands).await
}

//! The swarm at work: commands in, answers out once libp2p has told how they ended.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;

use futures::StreamExt;
use libp2p::identity::Keypair;
use libp2p::kad::store::RecordStore;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, Swarm, SwarmEvent};
use libp2p::{Multiaddr, PeerId, gossipsub, identify, kad, relay};
use libp2p_stream::Control;
use serde_json::{Value as Json, json};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::control::Shared;
use crate::frames::{hex, unhex};
use crate::{Behaviour, BehaviourEvent, Fault, calls, records};

/// Commands whose end libp2p tells later.
#[derive(Default)]
struct Pending {
    dials: HashMap<ConnectionId, u64>,
    queries: HashMap<kad::QueryId, (u64, Vec<Json>)>,
    reservations: HashMap<PeerId, u64>,
    identifies: Vec<(u64, PeerId)>,
    pings: Vec<(u64, PeerId)>,
}

struct Node {
    key: Keypair,
    swarm: Swarm<Behaviour>,
    shared: Arc<Shared>,
    streams: Control,
    pending: Pending,
    known: HashMap<PeerId, identify::Info>,
}

pub async fn run(
    key: Keypair,
    mut swarm: Swarm<Behaviour>,
    shared: Arc<Shared>,
    streams: Control,
    mut commands: UnboundedReceiver<Json>,
) -> Result<(), Fault> {
    swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse()?)?;
    let mut node = Node { key, swarm, shared, streams, pending: Pending::default(), known: HashMap::new() };
    loop {
        tokio::select! {
            event = node.swarm.select_next_some() => node.on_event(event),
            command = commands.recv() => match command {
                Some(command) => {
                    let id = command["id"].as_u64().unwrap_or(0);
                    match node.start(id, command) {
                        Ok(Some(result)) => node.shared.answer(id, Ok(result)),
                        Ok(None) => {}
                        Err(error) => node.shared.answer(id, Err(error.to_string())),
                    }
                }
                None => return Ok(()),
            },
        }
    }
}

/// A key of the network as Kademlia has it: the multihash of a SHA-256.
fn key_of(command: &Json) -> Result<kad::RecordKey, Fault> {
    let mut bytes = vec![0x12, 0x20];
    bytes.extend(command["key"].as_str().and_then(unhex).filter(|sha| sha.len() == 32).ok_or("a key has 32 bytes")?);
    Ok(kad::RecordKey::new(&bytes))
}

fn word(command: &Json, name: &str) -> String {
    command[name].as_str().unwrap_or_default().to_owned()
}

fn peers<'a>(list: impl IntoIterator<Item = &'a PeerId>) -> Vec<String> {
    list.into_iter().map(PeerId::to_string).collect()
}

fn described(info: &identify::Info) -> Json {
    let protocols: Vec<_> = info.protocols.iter().map(|protocol| protocol.to_string()).collect();
    let addresses: Vec<_> = info.listen_addrs.iter().map(Multiaddr::to_string).collect();
    json!({ "agent": info.agent_version, "protocols": protocols, "addresses": addresses })
}

/// Of the libraries that this program was built with.
fn versions() -> Json {
    let mut lines = include_str!("../Cargo.lock").lines();
    let mut found = serde_json::Map::new();
    while let Some(line) = lines.next() {
        let name = line.strip_prefix("name = ").unwrap_or_default().trim_matches('"');
        if ["libp2p", "libp2p-kad", "libp2p-gossipsub", "libp2p-relay", "libp2p-yamux"].contains(&name) {
            let version = lines.next().and_then(|next| next.strip_prefix("version = ")).unwrap_or_default();
            found.insert(name.to_owned(), json!(version.trim_matches('"')));
        }
    }
    Json::Object(found)
}

impl Node {
    /// Nothing when the answer comes later.
    fn start(&mut self, id: u64, command: Json) -> Result<Option<Json>, Fault> {
        let swarm = &mut self.swarm;
        let query = match command["do"].as_str().unwrap_or_default() {
            "call" | "cancel" | "session" | "hostile" => {
                let (shared, streams) = (self.shared.clone(), self.streams.clone());
                tokio::spawn(async move { shared.answer(id, calls::run(streams, &command).await) });
                return Ok(None);
            }
            "counts" => return Ok(Some(self.shared.counts())),
            "dial" => {
                let address: Multiaddr = word(&command, "address").parse()?;
                let Some(Protocol::P2p(peer)) = address.iter().last() else { return Err("name the peer".into()) };
                let options = DialOpts::peer_id(peer).addresses(vec![address]).condition(PeerCondition::Always).build();
                self.pending.dials.insert(options.connection_id(), id);
                swarm.dial(options)?;
                return Ok(None);
            }
            "reserve" => {
                let address: Multiaddr = word(&command, "address").parse()?;
                let Some(Protocol::P2p(relay)) = address.iter().last() else { return Err("name the relay".into()) };
                self.pending.reservations.insert(relay, id);
                swarm.listen_on(address.with(Protocol::P2pCircuit))?;
                return Ok(None);
            }
            "identify" => {
                let peer = PeerId::from_str(&word(&command, "peer"))?;
                let known = self.known.get(&peer).map(described);
                if known.is_none() {
                    self.pending.identifies.push((id, peer));
                }
                return Ok(known);
            }
            "ping" => {
                self.pending.pings.push((id, PeerId::from_str(&word(&command, "peer"))?));
                return Ok(None);
            }
            "subscribe" => {
                swarm.behaviour_mut().gossip.subscribe(&gossipsub::IdentTopic::new(word(&command, "topic")))?;
                return Ok(Some(json!({})));
            }
            "publish" => {
                let data = unhex(&word(&command, "data")).ok_or("the data is no hex")?;
                swarm.behaviour_mut().gossip.publish(gossipsub::IdentTopic::new(word(&command, "topic")), data)?;
                return Ok(Some(json!({})));
            }
            "announce" => {
                let model = unhex(&word(&command, "model")).filter(|hash| hash.len() == 32).ok_or("no hash")?;
                let data = records::announcement(&self.key, &model)?;
                swarm.behaviour_mut().gossip.publish(gossipsub::IdentTopic::new(word(&command, "topic")), data)?;
                return Ok(Some(json!({})));
            }
            "subscribers" => {
                let topic = gossipsub::IdentTopic::new(word(&command, "topic")).hash();
                let all = swarm.behaviour().gossip.all_peers();
                let found = all.filter(|(_, topics)| topics.contains(&&topic)).map(|(peer, _)| peer);
                return Ok(Some(json!({ "peers": peers(found) })));
            }
            "routing" => {
                let mut found = Vec::new();
                for bucket in swarm.behaviour_mut().kad.kbuckets() {
                    found.extend(bucket.iter().map(|entry| *entry.node.key.preimage()));
                }
                return Ok(Some(json!({ "peers": peers(&found) })));
            }
            "stored" => {
                let found = swarm.behaviour_mut().kad.store_mut().providers(&key_of(&command)?);
                let list = found.iter().map(|record| {
                    let addresses: Vec<_> = record.addresses.iter().map(Multiaddr::to_string).collect();
                    json!({ "peer": record.provider.to_string(), "addresses": addresses })
                });
                return Ok(Some(json!({ "providers": list.collect::<Vec<_>>() })));
            }
            "provide" => swarm.behaviour_mut().kad.start_providing(key_of(&command)?)?,
            "find" => swarm.behaviour_mut().kad.get_providers(key_of(&command)?),
            "findPeer" => swarm.behaviour_mut().kad.get_closest_peers(PeerId::from_str(&word(&command, "peer"))?),
            other => return Err(format!("there is no command {other:?}").into()),
        };
        self.pending.queries.insert(query, (id, vec![]));
        Ok(None)
    }

    fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::NewListenAddr { address, .. } => {
                if address.iter().any(|part| part == Protocol::P2pCircuit) {
                    return;
                }
                // Nobody else tells this peer how it is reached.
                self.swarm.add_external_address(address.clone());
                let peer = *self.swarm.local_peer_id();
                self.shared.event(json!({
                    "event": "ready",
                    "peer": peer.to_string(),
                    "addresses": [address.with(Protocol::P2p(peer)).to_string()],
                    "versions": versions(),
                }));
            }
            SwarmEvent::ConnectionEstablished { connection_id, endpoint, .. } => {
                if let Some(id) = self.pending.dials.remove(&connection_id) {
                    let address = endpoint.get_remote_address().to_string();
                    self.shared.answer(id, Ok(json!({ "connected": true, "address": address })));
                }
            }
            SwarmEvent::OutgoingConnectionError { connection_id, error, .. } => {
                if let Some(id) = self.pending.dials.remove(&connection_id) {
                    self.shared.answer(id, Err(error.to_string()));
                }
            }
            SwarmEvent::ListenerClosed { reason: Err(error), .. } => {
                for (_, id) in self.pending.reservations.drain() {
                    self.shared.answer(id, Err(error.to_string()));
                }
            }
            SwarmEvent::Behaviour(event) => self.on_behaviour(event),
            _ => {}
        }
    }

    fn on_behaviour(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Identify(identify::Event::Received { peer_id, info, .. }) => {
                if info.protocols.iter().any(|protocol| protocol.as_ref() == "/kith/kad/1.0.0") {
                    for address in &info.listen_addrs {
                        self.swarm.behaviour_mut().kad.add_address(&peer_id, address.clone());
                    }
                }
                let shared = &self.shared;
                self.pending.identifies.retain(|(id, peer)| {
                    if *peer == peer_id {
                        shared.answer(*id, Ok(described(&info)));
                    }
                    *peer != peer_id
                });
                self.known.insert(peer_id, info);
            }
            BehaviourEvent::Identify(identify::Event::Sent { .. }) => self.shared.count("identified"),
            BehaviourEvent::Ping(event) => {
                let shared = &self.shared;
                self.pending.pings.retain(|(id, peer)| {
                    if *peer == event.peer {
                        let result = event.result.as_ref();
                        shared.answer(
                            *id,
                            result
                                .map(|time| json!({ "ms": time.as_secs_f64() * 1000.0 }))
                                .map_err(ToString::to_string),
                        );
                    }
                    *peer != event.peer
                });
            }
            BehaviourEvent::Gossip(gossipsub::Event::Message { propagation_source, message, .. }) => {
                // Strict validation leaves no message without a signature that was checked.
                let signed = message.source.is_some() && message.sequence_number.is_some();
                self.shared.event(json!({
                    "event": "gossip",
                    "topic": message.topic.to_string(),
                    "from": message.source.map(|peer| peer.to_string()),
                    "via": propagation_source.to_string(),
                    "data": hex(&message.data),
                    "signed": signed,
                    "record": records::read(&message.data),
                }));
            }
            BehaviourEvent::Relayed(relay::client::Event::ReservationReqAccepted { relay_peer_id, limit, .. }) => {
                if let Some(id) = self.pending.reservations.remove(&relay_peer_id) {
                    let seconds = limit.and_then(|limit| limit.duration()).map(|time| time.as_secs());
                    self.shared.answer(id, Ok(json!({ "limitSeconds": seconds })));
                }
            }
            BehaviourEvent::Kad(kad::Event::OutboundQueryProgressed { id, result, step, .. }) => {
                self.on_query(id, result, step.last);
            }
            _ => {}
        }
    }

    fn on_query(&mut self, query: kad::QueryId, result: kad::QueryResult, last: bool) {
        let Some((id, found)) = self.pending.queries.get_mut(&query) else { return };
        let mut failure = None;
        match result {
            kad::QueryResult::GetProviders(Ok(kad::GetProvidersOk::FoundProviders { providers, .. })) => {
                found.extend(providers.iter().map(|peer| json!({ "peer": peer.to_string() })));
            }
            kad::QueryResult::GetProviders(Err(error)) => failure = Some(error.to_string()),
            kad::QueryResult::StartProviding(Err(error)) => failure = Some(error.to_string()),
            kad::QueryResult::GetClosestPeers(Ok(near)) => found.extend(near.peers.iter().map(|info| {
                let addresses: Vec<_> = info.addrs.iter().map(Multiaddr::to_string).collect();
                json!({ "peer": info.peer_id.to_string(), "addresses": addresses })
            })),
            kad::QueryResult::GetClosestPeers(Err(error)) => failure = Some(error.to_string()),
            _ => {}
        }
        if !last {
            return;
        }
        let result = failure.map_or_else(|| Ok(json!({ "providers": found })), Err);
        self.shared.answer(*id, result);
        self.pending.queries.remove(&query);
    }
}

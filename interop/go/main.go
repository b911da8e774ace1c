// A go-libp2p peer for Kith's interoperation tests. Commands come as JSON lines on standard input, answers and events
// leave as JSON lines on standard output.
package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p"
	dht "github.com/libp2p/go-libp2p-kad-dht"
	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/metrics"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/pnet"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/client"
	"github.com/libp2p/go-libp2p/p2p/protocol/identify"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	"github.com/multiformats/go-multihash"
)

type command struct {
	ID         int
	Do         string
	Address    string
	Peer       string
	Key        string
	Topic      string
	Model      string
	Data       string
	Method     string
	Kind       string
	CallID     string
	Metadata   map[string]any
	Sizes      []int
	Count      int
	Lane       bool
	DeadlineMs uint32
}

type peerNode struct {
	host   host.Host
	dht    *dht.IpfsDHT
	gossip *pubsub.PubSub
	ping   *ping.PingService
	bytes  *metrics.BandwidthCounter

	lock   sync.Mutex
	out    *json.Encoder
	counts map[string]int
	topics map[string]*pubsub.Topic
}

func (p *peerNode) event(value map[string]any) {
	p.lock.Lock()
	defer p.lock.Unlock()
	p.out.Encode(value)
}

func (p *peerNode) count(what string) {
	p.lock.Lock()
	defer p.lock.Unlock()
	p.counts[what]++
}

func main() {
	security := flag.String("security", "tls,noise", "what encrypts, by preference")
	psk := flag.String("psk", "", "file with the key of a private network")
	golden := flag.String("golden", "", "check the golden frames of this file and end")
	flag.Parse()
	if *golden != "" {
		result, err := checkGolden(*golden)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		json.NewEncoder(os.Stdout).Encode(result)
		return
	}
	if err := run(*security, *psk); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(security, psk string) error {
	ctx := context.Background()
	counter := metrics.NewBandwidthCounter()
	options := []libp2p.Option{
		libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"), libp2p.Transport(tcp.NewTCPTransport), libp2p.EnableRelay(),
		// A relay serves only while it believes that the world reaches it.
		libp2p.EnableRelayService(), libp2p.ForceReachabilityPublic(), libp2p.BandwidthReporter(counter),
		libp2p.ResourceManager(&network.NullResourceManager{}), libp2p.DisableMetrics(), libp2p.Ping(false),
		libp2p.UserAgent("kith-interop-go"),
	}
	for _, name := range strings.Split(security, ",") {
		switch name {
		case "tls":
			options = append(options, libp2p.Security(libp2ptls.ID, libp2ptls.New))
		case "noise":
			options = append(options, libp2p.Security(noise.ID, noise.New))
		default:
			return fmt.Errorf("nothing encrypts that is called %q", name)
		}
	}
	if psk != "" {
		file, err := os.Open(psk)
		if err != nil {
			return err
		}
		key, err := pnet.DecodeV1PSK(file)
		if err != nil {
			return err
		}
		options = append(options, libp2p.PrivateNetwork(key))
	}
	h, err := libp2p.New(options...)
	if err != nil {
		return err
	}
	defer h.Close()
	kad, err := dht.New(h, dht.Mode(dht.ModeServer), dht.V1ProtocolOverride("/kith/kad/1.0.0"))
	if err != nil {
		return err
	}
	gossip, err := pubsub.NewGossipSub(ctx, h, pubsub.WithMessageSignaturePolicy(pubsub.StrictSign))
	if err != nil {
		return err
	}
	p := &peerNode{host: h, dht: kad, gossip: gossip, ping: &ping.PingService{Host: h}, bytes: counter,
		out: json.NewEncoder(os.Stdout), counts: map[string]int{}, topics: map[string]*pubsub.Topic{}}
	h.SetStreamHandler(callProtocol, p.serve)
	h.SetStreamHandler(ping.ID, func(stream network.Stream) {
		p.count("pings")
		p.ping.PingHandler(stream)
	})
	h.SetStreamHandler("/kith/ping/1.0.0", func(stream network.Stream) {
		p.event(map[string]any{"event": "pinged", "peer": stream.Conn().RemotePeer().String()})
		p.ping.PingHandler(stream)
	})
	p.event(map[string]any{"event": "ready", "peer": h.ID().String(), "addresses": addressesOf(h), "versions": versions()})
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 64*1024), 4*1024*1024)
	for lines.Scan() {
		var c command
		if err := fromJSON(lines.Bytes(), &c); err != nil {
			return err
		}
		go func() {
			result, err := p.do(c)
			if err != nil {
				result = map[string]any{"error": err.Error()}
			}
			result["id"] = c.ID
			p.event(result)
		}()
	}
	return nil
}

func addressesOf(h host.Host) []string {
	out := []string{}
	for _, address := range h.Addrs() {
		out = append(out, address.String()+"/p2p/"+h.ID().String())
	}
	return out
}

func versions() map[string]string {
	out := map[string]string{}
	if info, ok := debug.ReadBuildInfo(); ok {
		out["go"] = info.GoVersion
		for _, module := range info.Deps {
			if name, found := strings.CutPrefix(module.Path, "github.com/libp2p/go-libp2p"); found && (name == "" || name == "-kad-dht" || name == "-pubsub") {
				out["go-libp2p"+name] = module.Version
			}
		}
	}
	return out
}

func keyOf(text string) (cid.Cid, error) {
	sha, err := hex.DecodeString(text)
	if err != nil {
		return cid.Undef, err
	}
	hash, err := multihash.Encode(sha, multihash.SHA2_256)
	return cid.NewCidV1(cid.Raw, hash), err
}

func providers(found []peer.AddrInfo) []any {
	out := []any{}
	for _, info := range found {
		addresses := []string{}
		for _, address := range info.Addrs {
			addresses = append(addresses, address.String())
		}
		out = append(out, map[string]any{"peer": info.ID.String(), "addresses": addresses})
	}
	return out
}

func (p *peerNode) do(c command) (map[string]any, error) {
	ctx, cancel := context.WithTimeout(network.WithAllowLimitedConn(context.Background(), "tests"), patience)
	defer cancel()
	switch c.Do {
	case "call":
		return p.call(c)
	case "cancel":
		return p.cancelCall(c)
	case "session":
		return p.session(c)
	case "hostile":
		return p.hostile(c)
	case "counts":
		p.lock.Lock()
		defer p.lock.Unlock()
		out := map[string]any{}
		// To ask takes a few bytes, to answer hundreds.
		if p.bytes.GetBandwidthForProtocol(identify.ID).TotalOut > 200 {
			out["identified"] = 1
		}
		for key, value := range p.counts {
			out[key] = value
		}
		return map[string]any{"counts": out}, nil
	case "dial", "reserve":
		info, err := peer.AddrInfoFromString(c.Address)
		if err != nil {
			return nil, err
		}
		if c.Do == "reserve" {
			slot, err := client.Reserve(ctx, p.host, *info)
			if err != nil {
				return nil, err
			}
			return map[string]any{"seconds": int(time.Until(slot.Expiration).Seconds())}, nil
		}
		if err := p.host.Connect(ctx, *info); err != nil {
			return nil, err
		}
		return p.link(info.ID), nil
	}
	if c.Key != "" {
		return p.kademlia(ctx, c)
	}
	if c.Topic != "" {
		return p.topic(ctx, c)
	}
	id, err := peer.Decode(c.Peer)
	if err != nil {
		return nil, err
	}
	switch c.Do {
	case "link":
		return p.link(id), nil
	case "identify":
		for _, conn := range p.host.Network().ConnsToPeer(id) {
			select {
			case <-p.host.(interface{ IDService() identify.IDService }).IDService().IdentifyWait(conn):
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		protocols, err := p.host.Peerstore().GetProtocols(id)
		if err != nil {
			return nil, err
		}
		agent, err := p.host.Peerstore().Get(id, "AgentVersion")
		addresses := []string{}
		for _, address := range p.host.Peerstore().Addrs(id) {
			addresses = append(addresses, address.String())
		}
		return map[string]any{"agent": agent, "protocols": protocols, "addresses": addresses}, err
	case "ping":
		result := <-p.ping.Ping(ctx, id)
		return map[string]any{"ms": float64(result.RTT.Microseconds()) / 1000}, result.Error
	case "findPeer":
		info, err := p.dht.FindPeer(ctx, id)
		return map[string]any{"providers": providers([]peer.AddrInfo{info})}, err
	}
	return nil, fmt.Errorf("there is no command %q", c.Do)
}

func (p *peerNode) link(id peer.ID) map[string]any {
	conns := p.host.Network().ConnsToPeer(id)
	if len(conns) == 0 {
		return map[string]any{"connected": false}
	}
	state := conns[0].ConnState()
	return map[string]any{"connected": true, "security": state.Security, "muxer": state.StreamMultiplexer,
		"early": state.UsedEarlyMuxerNegotiation, "limited": conns[0].Stat().Limited, "address": conns[0].RemoteMultiaddr().String()}
}

func (p *peerNode) kademlia(ctx context.Context, c command) (map[string]any, error) {
	key, err := keyOf(c.Key)
	if err != nil {
		return nil, err
	}
	switch c.Do {
	case "provide":
		return map[string]any{}, p.dht.Provide(ctx, key, true)
	case "find":
		found := []peer.AddrInfo{}
		for info := range p.dht.FindProvidersAsync(ctx, key, 20) {
			found = append(found, info)
		}
		return map[string]any{"providers": providers(found)}, nil
	case "stored":
		found, err := p.dht.ProviderStore().GetProviders(ctx, key.Hash())
		return map[string]any{"providers": providers(found)}, err
	case "routing":
		out := []string{}
		for _, id := range p.dht.RoutingTable().ListPeers() {
			out = append(out, id.String())
		}
		return map[string]any{"peers": out}, nil
	}
	return nil, fmt.Errorf("there is no command %q", c.Do)
}

func (p *peerNode) topic(ctx context.Context, c command) (map[string]any, error) {
	p.lock.Lock()
	topic := p.topics[c.Topic]
	p.lock.Unlock()
	switch c.Do {
	case "subscribe":
		topic, err := p.gossip.Join(c.Topic)
		if err != nil {
			return nil, err
		}
		subscription, err := topic.Subscribe()
		if err != nil {
			return nil, err
		}
		p.lock.Lock()
		p.topics[c.Topic] = topic
		p.lock.Unlock()
		go func() {
			for {
				message, err := subscription.Next(context.Background())
				if err != nil {
					return
				}
				p.event(map[string]any{"event": "gossip", "topic": c.Topic, "from": message.GetFrom().String(),
					"via": message.ReceivedFrom.String(), "data": hex.EncodeToString(message.Data),
					"signed": len(message.Signature) > 0, "record": readAnnouncement(message.Data)})
			}
		}()
		return map[string]any{}, nil
	case "publish", "announce":
		if topic == nil {
			return nil, errors.New("subscribe first")
		}
		data, err := hex.DecodeString(c.Data)
		if c.Do == "announce" {
			data, err = p.announcement(c.Model)
		}
		if err != nil {
			return nil, err
		}
		return map[string]any{}, topic.Publish(ctx, data)
	case "subscribers":
		out := []string{}
		for _, id := range p.gossip.ListPeers(c.Topic) {
			out = append(out, id.String())
		}
		return map[string]any{"peers": out}, nil
	}
	return nil, fmt.Errorf("there is no command %q", c.Do)
}

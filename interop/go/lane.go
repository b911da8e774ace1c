package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	manet "github.com/multiformats/go-multiaddr/net"
)

// What calls and sessions need of a stream of libp2p, or of a lane.
type channel interface {
	Read([]byte) (int, error)
	Write([]byte) (int, error)
	Close() error
	Reset() error
}

type laneChannel struct{ *tls.Conn }

func (l laneChannel) Reset() error { return l.Close() }

func ownCertificate() (tls.Certificate, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, form, form, public, private)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}, err
}

// A lane to a peer: agreed on by a call over the link, then a TLS socket beside it.
func (p *peerNode) openLane(c command) (channel, error) {
	certificate, err := ownCertificate()
	if err != nil {
		return nil, err
	}
	own := sha256.Sum256(certificate.Certificate[0])
	stream, err := p.openStream(c.Peer)
	if err != nil {
		return nil, err
	}
	defer stream.Reset()
	ask := toCbor(request{ID: callID(command{}), Method: "/kith/lane/1", Metadata: map[string]any{"f": own[:]}})
	if _, err := stream.Write(frame{kind: typeRequest, id: 1, metadata: ask}.encode()); err != nil {
		return nil, err
	}
	answer, err := readFrame(stream)
	if err != nil {
		return nil, err
	}
	if answer.kind != typeResponse {
		refused, err := answerOf(answer)
		return nil, fmt.Errorf("no lane: %v %v", refused, err)
	}
	var terms struct {
		Fingerprint []byte `cbor:"f"`
		Port        int    `cbor:"p"`
		Ticket      []byte `cbor:"t"`
	}
	if err := decoder.Unmarshal(answer.metadata, &terms); err != nil {
		return nil, err
	}
	id, err := peer.Decode(c.Peer)
	if err != nil {
		return nil, err
	}
	end, err := manet.ToNetAddr(p.host.Network().ConnsToPeer(id)[0].RemoteMultiaddr())
	if err != nil {
		return nil, err
	}
	socket, err := net.Dial("tcp", net.JoinHostPort(end.(*net.TCPAddr).IP.String(), fmt.Sprint(terms.Port)))
	if err != nil {
		return nil, err
	}
	ticket := sha256.Sum256(terms.Ticket)
	if _, err := socket.Write(append([]byte("kithlan1"), ticket[:]...)); err != nil {
		return nil, err
	}
	lane := tls.Client(socket, &tls.Config{
		MinVersion: tls.VersionTLS13, NextProtos: []string{"kith-lane/1"}, Certificates: []tls.Certificate{certificate},
		// Its fingerprint is what counts.
		InsecureSkipVerify: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			theirs := sha256.Sum256(state.PeerCertificates[0].Raw)
			if !bytes.Equal(theirs[:], terms.Fingerprint) || state.NegotiatedProtocol != "kith-lane/1" {
				return errors.New("the other end of the lane is not the peer")
			}
			return nil
		},
	})
	lane.SetDeadline(time.Now().Add(patience))
	return laneChannel{lane}, lane.Handshake()
}

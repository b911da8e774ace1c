package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
)

const signaturePrefix = "kith-announcement-v1\x00"

type envelope struct {
	Body      []byte `cbor:"b"`
	Signature []byte `cbor:"s"`
}

// An announcement of this peer: it serves a whole model.
func (p *peerNode) announcement(model string) ([]byte, error) {
	hash, err := hex.DecodeString(model)
	if err != nil || len(hash) != sha256.Size {
		return nil, errors.New("a model has a hash of 32 bytes")
	}
	key := p.host.Peerstore().PrivKey(p.host.ID())
	public, err := key.GetPublic().Raw()
	if err != nil {
		return nil, err
	}
	now := time.Now().UnixMilli()
	body := toCbor(map[string]any{
		"v": 1, "peer": public, "seq": now, "exp": now + 300_000,
		"model":  map[string]any{"hash": hash, "quant": "Q8_0"},
		"blocks": []any{}, "tps": 12_500, "freeCacheTokens": 4096, "maxBatch": 2,
		"protocols": []string{}, "regions": []string{"eu"}, "serves": []string{"chat"}, "trust": []any{},
		"state": "online",
	})
	signature, err := key.Sign(append([]byte(signaturePrefix), body...))
	if err != nil {
		return nil, err
	}
	return toCbor(envelope{Body: body, Signature: signature}), nil
}

// Whose announcement these bytes are and what it says; nil when they are none that its peer signed.
func readAnnouncement(from []byte) map[string]any {
	var outer envelope
	var record struct {
		Peer  []byte   `cbor:"peer"`
		State string   `cbor:"state"`
		Serve []string `cbor:"serves"`
	}
	if decoder.Unmarshal(from, &outer) != nil || decoder.Unmarshal(outer.Body, &record) != nil {
		return nil
	}
	key, err := crypto.UnmarshalEd25519PublicKey(record.Peer)
	if err != nil {
		return nil
	}
	if valid, err := key.Verify(append([]byte(signaturePrefix), outer.Body...), outer.Signature); err != nil || !valid {
		return nil
	}
	id, err := peer.IDFromPublicKey(key)
	if err != nil {
		return nil
	}
	return map[string]any{"peer": id.String(), "state": record.State, "serves": record.Serve}
}

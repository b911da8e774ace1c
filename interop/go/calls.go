package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
)

const patience = 45 * time.Second

func (p *peerNode) open(c command) (channel, error) {
	if c.Lane {
		return p.openLane(c)
	}
	return p.openStream(c.Peer)
}

func (p *peerNode) openStream(to string) (network.Stream, error) {
	id, err := peer.Decode(to)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(network.WithAllowLimitedConn(context.Background(), "calls"), patience)
	defer cancel()
	stream, err := p.host.NewStream(ctx, id, callProtocol)
	if err != nil {
		return nil, err
	}
	stream.SetDeadline(time.Now().Add(patience))
	return stream, nil
}

func callID(c command) []byte {
	id := make([]byte, 16)
	if given, err := hex.DecodeString(c.CallID); err == nil && len(given) == 16 {
		return given
	}
	rand.Read(id)
	return id
}

func requestFrame(c command, id uint32, flags uint16, payload []byte) frame {
	metadata := toCbor(request{ID: callID(c), Method: c.Method, Metadata: plainMap(c.Metadata)})
	return frame{kind: typeRequest, flags: flags, id: id, argument: c.DeadlineMs, metadata: metadata, payload: payload}
}

// What one answer says, for the test.
func answerOf(f frame) (map[string]any, error) {
	if f.kind == typeError {
		var refusal wireError
		if err := decoder.Unmarshal(f.metadata, &refusal); err != nil {
			return nil, err
		}
		return map[string]any{"refused": refusal}, nil
	}
	if f.kind != typeResponse {
		return nil, fmt.Errorf("type %d is no answer", f.kind)
	}
	metadata, err := readMetadata(f.metadata)
	if err != nil {
		return nil, err
	}
	return map[string]any{"metadata": metadata, "bytes": len(f.payload), "sha256": digest(f.payload)}, nil
}

// Calls side by side on one stream: one for each size of payload. Answers may come in any order.
func (p *peerNode) call(c command) (map[string]any, error) {
	stream, err := p.open(c)
	if err != nil {
		return nil, err
	}
	defer stream.Reset()
	failed := make(chan error, 1)
	go func() {
		for at, size := range c.Sizes {
			if _, err := stream.Write(requestFrame(c, uint32(at+1), 0, pattern(size)).encode()); err != nil {
				failed <- err
				return
			}
		}
		failed <- nil
	}()
	answers := make([]any, len(c.Sizes))
	reader := bufio.NewReader(stream)
	for range c.Sizes {
		f, err := readFrame(reader)
		if err != nil {
			return nil, err
		}
		if f.id < 1 || int(f.id) > len(answers) || answers[f.id-1] != nil {
			return nil, fmt.Errorf("an answer to request %d", f.id)
		}
		if answers[f.id-1], err = answerOf(f); err != nil {
			return nil, err
		}
	}
	if err := <-failed; err != nil {
		return nil, err
	}
	stream.Close()
	return map[string]any{"answers": answers}, nil
}

// A call that is given up as soon as it was made; then the stream still serves.
func (p *peerNode) cancelCall(c command) (map[string]any, error) {
	stream, err := p.open(c)
	if err != nil {
		return nil, err
	}
	defer stream.Reset()
	probe := []byte("kith-go!")
	for _, f := range []frame{requestFrame(c, 1, 0, nil), {kind: typeCancel, id: 1}, {kind: typePing, payload: probe}} {
		if _, err := stream.Write(f.encode()); err != nil {
			return nil, err
		}
	}
	f, err := readFrame(stream)
	if err != nil {
		return nil, err
	}
	return map[string]any{"pong": f.kind == typePong && string(f.payload) == string(probe)}, nil
}

// Opens a session, sends messages, reads as many back, ends it.
func (p *peerNode) session(c command) (map[string]any, error) {
	stream, err := p.open(c)
	if err != nil {
		return nil, err
	}
	defer stream.Reset()
	write := func(f frame) {
		if _, err := stream.Write(f.encode()); err != nil {
			stream.Reset()
		}
	}
	reader := bufio.NewReaderSize(stream, 64*1024)
	write(requestFrame(c, 1, flagMore, nil))
	accepted, err := readFrame(reader)
	if err != nil {
		return nil, err
	}
	if accepted.kind == typeError {
		return answerOf(accepted)
	}
	if accepted.kind != typeResponse || accepted.flags != flagMore {
		return nil, errors.New("the session was not accepted")
	}
	// A lock of its own for writing: windows leave between messages.
	frames := make(chan frame, 64)
	defer close(frames)
	go func() {
		for f := range frames {
			write(f)
		}
	}()
	end := newSessionEnd(func(f frame) { frames <- f })
	defer end.close()
	go end.read(reader, true)
	payload := pattern(c.Sizes[0])
	go func() {
		for at := range c.Count {
			if !end.send(writeMetadata(map[string]any{"n": at}), payload) {
				return
			}
		}
		frames <- frame{kind: typeEnd, id: 1}
	}()
	messages, same := 0, true
	for f := range end.received {
		metadata, err := readMetadata(f.metadata)
		if err != nil {
			return nil, err
		}
		same = same && fmt.Sprint(metadata["n"]) == fmt.Sprint(messages) && digest(f.payload) == digest(payload)
		messages++
	}
	if err := end.fault(); err != nil {
		return nil, err
	}
	return map[string]any{"messages": messages, "same": same, "grants": end.grants}, nil
}

// What no peer may do; tells how Kith ended it.
func (p *peerNode) hostile(c command) (map[string]any, error) {
	stream, err := p.open(c)
	if err != nil {
		return nil, err
	}
	defer stream.Reset()
	head := requestFrame(c, 1, 0, nil).encode()
	switch c.Kind {
	case "oversize": // 16 MiB and one byte
		copy(head[20:], []byte{1, 0, 0, 1})
	case "huge":
		for at := 16; at < 24; at++ {
			head[at] = math.MaxUint8
		}
	case "garbage":
		head = pattern(4096)
	default:
		return nil, fmt.Errorf("nothing hostile is called %q", c.Kind)
	}
	if _, err := stream.Write(head); err != nil {
		return nil, err
	}
	f, err := readFrame(stream)
	if err == nil {
		return map[string]any{"cut": false, "frame": f.kind}, nil
	}
	var reset *network.StreamError
	return map[string]any{"cut": true, "reset": errors.As(err, &reset) || errors.Is(err, network.ErrReset), "why": err.Error()}, nil
}

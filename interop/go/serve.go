package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
)

// The bytes that all programs of these tests agree on.
func pattern(size int) []byte {
	out := make([]byte, size)
	for at := range out {
		out[at] = byte(at*31 + at>>8)
	}
	return out
}

func digest(bytes []byte) string {
	sum := sha256.Sum256(bytes)
	return hex.EncodeToString(sum[:])
}

func number(value int) *int { return &value }

// A stream that the other side opened: its calls one after the other, or its one session.
func (p *peerNode) serve(stream network.Stream) {
	from := stream.Conn().RemotePeer().String()
	var lock sync.Mutex
	write := func(f frame) {
		lock.Lock()
		defer lock.Unlock()
		stream.SetWriteDeadline(time.Now().Add(time.Minute))
		if _, err := stream.Write(f.encode()); err != nil {
			stream.Reset()
		}
	}
	reader := bufio.NewReaderSize(stream, 64*1024)
	waiting := map[uint32]string{}
	for {
		f, err := readFrame(reader)
		if err == io.EOF {
			stream.Close()
			return
		}
		if err != nil {
			stream.Reset()
			p.event(map[string]any{"event": "stream_over", "peer": from, "why": err.Error()})
			return
		}
		switch f.kind {
		case typePing:
			p.count("framePings")
			write(frame{kind: typePong, payload: f.payload})
		case typePong:
		case typeCancel:
			if method, found := waiting[f.id]; found {
				delete(waiting, f.id)
				p.event(map[string]any{"event": "cancelled", "peer": from, "method": method})
			}
		case typeRequest:
			var req request
			if err := decoder.Unmarshal(f.metadata, &req); err != nil || len(req.ID) != 16 {
				stream.Reset()
				return
			}
			if f.flags&flagMore != 0 {
				p.serveSession(stream, reader, f, req, write)
				return
			}
			p.answer(f, req, waiting, write)
		default:
			stream.Reset()
			return
		}
	}
}

func (p *peerNode) answer(f frame, req request, waiting map[uint32]string, write func(frame)) {
	switch req.Method {
	case "interop/reverse":
		p.count("calls")
		slices.Reverse(f.payload)
		req.Metadata["bytes"] = len(f.payload)
		req.Metadata["deadline"] = f.argument > 0
		write(frame{kind: typeResponse, id: f.id, metadata: writeMetadata(req.Metadata), payload: f.payload})
	case "interop/refuse":
		write(frame{kind: typeError, id: f.id, metadata: toCbor(wireError{
			Code: "interop_refused", Message: "Refused, as asked for.", RetryAfter: number(7), Status: number(429)})})
	case "interop/oversize":
		head := frame{kind: typeResponse, id: f.id}.encode()
		// One byte more than an answer may have.
		copy(head[20:], []byte{1, 0, 0, 1})
		write(frame{raw: head})
	case "interop/wait":
		waiting[f.id] = req.Method
		p.event(map[string]any{"event": "waiting", "method": req.Method})
	default:
		// Kith asks for a lane; without one all goes over streams.
		if req.Method == "/kith/lane/1" {
			p.count("lanes")
		}
		write(frame{kind: typeError, id: f.id, metadata: toCbor(wireError{
			Code: "swarm_unknown_method", Message: "There is no such method.", Status: number(404)})})
	}
}

// Sends back each message of a session; the opener ends it.
func (p *peerNode) serveSession(stream network.Stream, reader io.Reader, f frame, req request, write func(frame)) {
	if req.Method != "interop/mirror" {
		write(frame{kind: typeError, id: 1, metadata: toCbor(wireError{
			Code: "swarm_unknown_method", Message: "There is no such session.", Status: number(404)})})
		stream.CloseWrite()
		return
	}
	p.count("sessions")
	write(frame{kind: typeResponse, flags: flagMore, id: 1})
	end := newSessionEnd(write)
	defer end.close()
	go func() {
		for message := range end.received {
			if !end.send(message.metadata, message.payload) {
				return
			}
		}
		if end.fault() == nil {
			write(frame{kind: typeEnd, id: 1})
			stream.CloseWrite()
		}
	}()
	// Windows are granted to this side beyond the other's end, until it closes the stream.
	end.read(reader, false)
	if end.fault() != nil {
		p.event(map[string]any{"event": "session_over", "why": end.fault().Error()})
		stream.Reset()
		return
	}
	stream.Close()
}

package main

// The wire format of calls after docs/protocol.md, on its own: shares no code with Kith, so that what both sides agree on
// is what the document says.

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/fxamacker/cbor/v2"
)

const (
	callProtocol    = "/kith/call/1.0.0"
	version         = 1
	headerBytes     = 24
	windowBytes     = 4 * 1024 * 1024
	maxMetadata     = 64 * 1024
	maxPayload      = 16 * 1024 * 1024
	flagMore        = 1
	typeRequest     = 1
	typeResponse    = 2
	typeError       = 3
	typeData        = 4
	typeEnd         = 5
	typeCancel      = 6
	typeWindow      = 7
	typePing        = 8
	typePong        = 9
	requestEnvelope = 512
)

var typeNames = map[string]byte{
	"request": typeRequest, "response": typeResponse, "error": typeError, "data": typeData, "end": typeEnd,
	"cancel": typeCancel, "window": typeWindow, "ping": typePing, "pong": typePong,
}

type rule struct {
	metadata, payload      uint32
	flags                  uint16
	id, sequence, argument bool
}

var rules = map[byte]rule{
	typeRequest:  {metadata: maxMetadata + requestEnvelope, payload: maxPayload, flags: flagMore, id: true, argument: true},
	typeResponse: {metadata: maxMetadata, payload: maxPayload, flags: flagMore, id: true},
	typeError:    {metadata: 4096, id: true},
	typeData:     {metadata: maxMetadata, payload: maxPayload, id: true, sequence: true},
	typeEnd:      {id: true},
	typeCancel:   {id: true},
	typeWindow:   {id: true, argument: true},
	typePing:     {payload: 8},
	typePong:     {payload: 8},
}

type frame struct {
	kind                   byte
	flags                  uint16
	id, sequence, argument uint32
	metadata, payload      []byte
	// Bytes to send instead of a frame, for what must be refused.
	raw []byte
}

// What a frame of data takes of the window.
func (f frame) cost() int { return headerBytes + len(f.metadata) + len(f.payload) }

func (f frame) encode() []byte {
	if f.raw != nil {
		return f.raw
	}
	out := make([]byte, headerBytes, f.cost())
	out[0] = version
	out[1] = f.kind
	binary.BigEndian.PutUint16(out[2:], f.flags)
	binary.BigEndian.PutUint32(out[4:], f.id)
	binary.BigEndian.PutUint32(out[8:], f.sequence)
	binary.BigEndian.PutUint32(out[12:], f.argument)
	binary.BigEndian.PutUint32(out[16:], uint32(len(f.metadata)))
	binary.BigEndian.PutUint32(out[20:], uint32(len(f.payload)))
	out = append(out, f.metadata...)
	return append(out, f.payload...)
}

func readFrame(from io.Reader) (frame, error) {
	var head [headerBytes]byte
	if _, err := io.ReadFull(from, head[:]); err != nil {
		return frame{}, err
	}
	f := frame{
		kind:     head[1],
		flags:    binary.BigEndian.Uint16(head[2:]),
		id:       binary.BigEndian.Uint32(head[4:]),
		sequence: binary.BigEndian.Uint32(head[8:]),
		argument: binary.BigEndian.Uint32(head[12:]),
	}
	metadata, payload := binary.BigEndian.Uint32(head[16:]), binary.BigEndian.Uint32(head[20:])
	r, known := rules[f.kind]
	switch {
	case head[0] != version:
		return f, fmt.Errorf("garbage: version %d", head[0])
	case !known:
		return f, fmt.Errorf("garbage: type %d", f.kind)
	case f.flags&^r.flags != 0, (f.id != 0) != r.id, f.sequence != 0 && !r.sequence, f.argument != 0 && !r.argument:
		return f, fmt.Errorf("garbage: a field without a meaning in type %d", f.kind)
	case metadata > r.metadata, payload > r.payload:
		return f, fmt.Errorf("oversize: type %d with %d and %d bytes", f.kind, metadata, payload)
	}
	f.metadata = make([]byte, metadata)
	f.payload = make([]byte, payload)
	if _, err := io.ReadFull(from, f.metadata); err != nil {
		return f, err
	}
	_, err := io.ReadFull(from, f.payload)
	return f, err
}

type request struct {
	ID       []byte         `cbor:"i"`
	Method   string         `cbor:"m"`
	Metadata map[string]any `cbor:"v"`
}

type wireError struct {
	Code       string `cbor:"c" json:"code"`
	Message    string `cbor:"m" json:"message"`
	RetryAfter *int   `cbor:"r,omitempty" json:"retryAfter,omitempty"`
	Status     *int   `cbor:"s,omitempty" json:"status,omitempty"`
}

func (e *wireError) Error() string { return e.Code + ": " + e.Message }

var encoder, decoder = func() (cbor.EncMode, cbor.DecMode) {
	encode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		panic(err)
	}
	decode, err := cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden,
		DefaultMapType: reflect.TypeFor[map[string]any](), IntDec: cbor.IntDecConvertSigned,
	}.DecMode()
	if err != nil {
		panic(err)
	}
	return encode, decode
}()

func toCbor(value any) []byte {
	bytes, err := encoder.Marshal(value)
	if err != nil {
		panic(err)
	}
	return bytes
}

// Metadata off the wire; none at all is the empty map.
func readMetadata(from []byte) (map[string]any, error) {
	out := map[string]any{}
	if len(from) == 0 {
		return out, nil
	}
	return out, decoder.Unmarshal(from, &out)
}

// Metadata to the wire.
func writeMetadata(value map[string]any) []byte {
	if len(value) == 0 {
		return nil
	}
	return toCbor(value)
}

// JSON whose whole numbers are integers, as in CBOR.
func fromJSON(text []byte, into any) error {
	reader := json.NewDecoder(bytes.NewReader(text))
	reader.UseNumber()
	return reader.Decode(into)
}

// Numbers of JSON as CBOR knows them.
func plain(value any) any {
	switch value := value.(type) {
	case json.Number:
		if whole, err := value.Int64(); err == nil {
			return whole
		}
		fraction, _ := value.Float64()
		return fraction
	case map[string]any:
		out := map[string]any{}
		for key, item := range value {
			out[key] = plain(item)
		}
		return out
	case []any:
		out := make([]any, len(value))
		for at, item := range value {
			out[at] = plain(item)
		}
		return out
	}
	return value
}

func plainMap(value map[string]any) map[string]any {
	if value == nil {
		return map[string]any{}
	}
	return plain(value).(map[string]any)
}

var errCancelled = errors.New("cancelled")

func faultKind(err error) string {
	kind, _, _ := strings.Cut(err.Error(), ":")
	return kind
}

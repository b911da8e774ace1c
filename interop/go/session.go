package main

import (
	"errors"
	"fmt"
	"io"
	"sync"
)

// One end of a session, once it was accepted: order, windows and ends of both directions.
type sessionEnd struct {
	write    func(frame)
	received chan frame

	lock     sync.Mutex
	room     *sync.Cond
	out      int
	sequence uint32
	over     bool
	err      error
	// Windows that the other side granted.
	grants int
}

func newSessionEnd(write func(frame)) *sessionEnd {
	end := &sessionEnd{write: write, received: make(chan frame, 4096)}
	end.room = sync.NewCond(&end.lock)
	return end
}

func (s *sessionEnd) fault() error {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.err
}

func (s *sessionEnd) close() {
	s.lock.Lock()
	s.over = true
	s.room.Broadcast()
	s.lock.Unlock()
}

// Waits while the window is full. False when the session is over.
func (s *sessionEnd) send(metadata, payload []byte) bool {
	s.lock.Lock()
	for s.out >= windowBytes && !s.over && s.err == nil {
		s.room.Wait()
	}
	if s.over || s.err != nil {
		s.lock.Unlock()
		return false
	}
	f := frame{kind: typeData, id: 1, sequence: s.sequence, metadata: metadata, payload: payload}
	s.sequence++
	s.out += f.cost()
	s.lock.Unlock()
	s.write(f)
	return true
}

// Reads until an error, the stream's end, or, where this side opened the session, the other side's end.
func (s *sessionEnd) read(reader io.Reader, opener bool) {
	ended := false
	finish := func() {
		if !ended {
			ended = true
			close(s.received)
		}
	}
	defer finish()
	held, next := 0, uint32(0)
	fail := func(err error) {
		s.lock.Lock()
		s.err = err
		s.room.Broadcast()
		s.lock.Unlock()
	}
	for {
		f, err := readFrame(reader)
		if err == io.EOF && ended {
			return
		}
		if err != nil {
			fail(err)
			return
		}
		switch f.kind {
		case typeData:
			if ended {
				fail(errors.New("data follows the end"))
				return
			}
			if f.sequence != next {
				fail(fmt.Errorf("data %d came instead of %d", f.sequence, next))
				return
			}
			next++
			held += f.cost()
			s.received <- f
			// Granted in steps of a megabyte, as bytes are taken.
			if held >= windowBytes/4 {
				s.write(frame{kind: typeWindow, id: 1, argument: uint32(held)})
				held = 0
			}
		case typeWindow:
			s.lock.Lock()
			s.out -= int(f.argument)
			s.grants++
			if s.out < 0 {
				s.err = errors.New("more was granted than is out")
			}
			s.room.Broadcast()
			s.lock.Unlock()
		case typeEnd:
			finish()
			if opener {
				return
			}
		case typeCancel:
			fail(errCancelled)
			return
		case typeError:
			var refusal wireError
			if err := decoder.Unmarshal(f.metadata, &refusal); err != nil {
				fail(err)
			} else {
				fail(&refusal)
			}
			return
		case typePing:
			s.write(frame{kind: typePong, payload: f.payload})
		case typePong:
		default:
			fail(fmt.Errorf("type %d has no place in a session", f.kind))
			return
		}
	}
}

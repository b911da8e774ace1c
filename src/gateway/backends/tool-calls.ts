/**
 * Puts the pieces of tool calls together as servers send them: without ids, without indices, with one index for all,
 * with several calls interleaved, or with arguments as an object.
 *
 * Calls go out one after the other. A piece for a later call waits until the arguments of the call before are a whole
 * JSON value, or until the choice ends.
 *
 * @module gateway/backends/tool-calls
 */
import type { Random } from '../../base/index.ts';
import { callId } from '../tools/answer.ts';
import type { ChatEvent, FinishReason } from '../types.ts';
import { badResponse } from '../upstream/index.ts';

/** One piece of one call; what a server leaves out is null. */
export interface CallPiece {
  readonly index: number | null;
  readonly id: string | null;
  readonly name: string | null;
  readonly args: string;
}

interface Call {
  readonly upstreamIndex: number | null;
  readonly upstreamId: string | null;
  readonly id: string;
  name: string | null;
  args: string;
  /** Characters of `args` that went out; null before the call itself did. */
  sent: number | null;
  /** Its place among the calls that went out. */
  index: number;
  /** Times that `args` were looked at and not whole. */
  looks: number;
}

const maxCalls = 256;
const maxName = 256;
const maxId = 256;
/** Each look parses all arguments so far. */
const maxLooks = 256;

export class ToolCalls {
  readonly #choice: number;
  readonly #random: Random;
  readonly #server: string;
  readonly #calls: Call[] = [];
  /** Place of the call that goes out now. */
  #open = 0;
  /** Calls that went out. */
  #sent = 0;

  constructor(choice: number, random: Random, server: string) {
    this.#choice = choice;
    this.#random = random;
    this.#server = server;
  }

  get count(): number {
    return this.#calls.length;
  }

  /** Throws `UpstreamError` of class `bad_response`. */
  add(piece: CallPiece): ChatEvent[] {
    const call = this.#find(piece) ?? this.#begin(piece);
    call.name ??= piece.name === '' ? null : piece.name;
    call.args += piece.args;
    const events: ChatEvent[] = [];
    while (this.#send(events) && this.#calls.length > this.#open + 1 && looksWhole(this.#calls[this.#open]!))
      this.#open++;
    return events;
  }

  /** What is left when the choice ends. Unless it ended by length, the arguments have to be a JSON object. */
  finish(reason: FinishReason): ChatEvent[] {
    const events: ChatEvent[] = [];
    for (; this.#open < this.#calls.length; this.#open++) {
      const call = this.#calls[this.#open]!;
      if (call.args.trim() === '' && reason !== 'length') call.args = '{}';
      if (!this.#send(events) && reason !== 'length')
        throw badResponse('upstream_bad_tool_call', this.#server, 'called a tool without naming it.');
    }
    if (reason !== 'length' && !this.#calls.every((call) => isWhole(call.args))) {
      throw badResponse(
        'upstream_bad_tool_call',
        this.#server,
        'called a tool with arguments that are not a JSON object.',
      );
    }
    return events;
  }

  #find({ index, id, name }: CallPiece): Call | undefined {
    const known = id === null ? undefined : this.#calls.find((call) => call.upstreamId === id);
    if (known) return known;
    const last = this.#calls.at(-1);
    if (index !== null) {
      // The newest of that index: some servers number every call 0 and tell them apart by id.
      const call = this.#calls.findLast((each) => each.upstreamIndex === index);
      return call && (id === null || call.upstreamId === null) ? call : undefined;
    }
    if (id !== null || last === undefined) return undefined;
    // Without id and index, a name begins a call, except where it only repeats itself within one.
    if (name === null || name === '' || last.name === null) return last;
    return looksWhole(last) || (last.args === '' && name !== last.name) ? undefined : last;
  }

  #begin({ index, id }: CallPiece): Call {
    if (this.#calls.length === maxCalls) {
      throw badResponse(
        'upstream_too_many_tool_calls',
        this.#server,
        `called more than ${maxCalls} tools in one answer.`,
      );
    }
    // What clients send back, and headers and logs may carry.
    const usable = id !== null && id.length <= maxId && /^[\x21-\x7e]+$/.test(id);
    const call: Call = {
      upstreamIndex: index,
      upstreamId: id,
      id: usable ? id : callId(this.#random),
      name: null,
      args: '',
      sent: null,
      index: 0,
      looks: 0,
    };
    this.#calls.push(call);
    return call;
  }

  /** Sends what there is of the open call; false while it has no name. */
  #send(events: ChatEvent[]): boolean {
    const call = this.#calls[this.#open]!;
    if (call.name === null) return false;
    if (call.name.length > maxName)
      throw badResponse('upstream_bad_tool_call', this.#server, 'called a tool whose name is too long.');
    if (call.sent === null) call.index = this.#sent++;
    const place = { choice: this.#choice, index: call.index };
    if (call.sent === null) {
      events.push({ type: 'tool_call', ...place, id: call.id, name: call.name });
      call.sent = 0;
    }
    if (call.args.length > call.sent) {
      events.push({ type: 'tool_arguments', ...place, text: call.args.slice(call.sent) });
      call.sent = call.args.length;
    }
    return true;
  }
}

/** As `isWhole`, but not without end for arguments that never become whole. */
function looksWhole(call: Call): boolean {
  if (call.looks >= maxLooks) return false;
  const whole = isWhole(call.args);
  if (!whole && call.args !== '') call.looks++;
  return whole;
}

/** True for the text of a whole JSON object. */
function isWhole(text: string): boolean {
  if (!text.trimEnd().endsWith('}')) return false;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

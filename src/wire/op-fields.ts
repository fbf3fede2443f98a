/** The fields of one protobuf Op, as numbers and views, before anything is checked. */
import { badField } from './protocol-error.js';
import type { Reader } from './proto.js';

const NOTHING = Buffer.alloc(0);

export class OpFields {
  kind = 0;
  ref = 0;
  parent = 0;
  name: Uint8Array = NOTHING;
  newParent = 0;
  newName: Uint8Array = NOTHING;
  offset = 0;
  length = 0;
  mode = 0;
  uid = 0;
  gid = 0;
  rdev = 0;
  flags = 0;
  value: Uint8Array = NOTHING;
  fromOffset = 0;
  mtimeSeconds = 0;
  mtimeNanos = 0;
  hasAtime = false;
  atimeSeconds = 0;
  atimeNanos = 0;
  why = '';
  streamMode = 0;

  /** Forgets the previous op and reads the nested message at the reader's place. */
  read(from: Reader): void {
    this.#clear();
    const end = from.uint32() + from.pos;
    if (end > from.len) throw badField('ops', 'longer than the message');
    while (from.pos < end) this.#field(from, from.uint32());
    if (from.pos !== end) throw badField('ops', 'fields beyond their op');
  }

  #field(from: Reader, tag: number): void {
    switch (tag) {
      case 0x08:
        this.kind = from.int32();
        return;
      case 0x10:
        this.ref = Number(from.uint64());
        return;
      case 0x18:
        this.parent = Number(from.uint64());
        return;
      case 0x22:
        this.name = from.bytes();
        return;
      case 0x28:
        this.newParent = Number(from.uint64());
        return;
      case 0x32:
        this.newName = from.bytes();
        return;
      case 0x38:
        this.offset = Number(from.uint64());
        return;
      case 0x40:
        this.length = Number(from.uint64());
        return;
      case 0x48:
        this.mode = from.uint32();
        return;
      case 0x50:
        this.uid = from.uint32();
        return;
      case 0x58:
        this.gid = from.uint32();
        return;
      case 0x60:
        this.rdev = from.uint32();
        return;
      case 0x68:
        this.flags = from.uint32();
        return;
      case 0x72:
        this.value = from.bytes();
        return;
      case 0x78:
        this.fromOffset = Number(from.uint64());
        return;
      default:
        this.#rareField(from, tag);
    }
  }

  #rareField(from: Reader, tag: number): void {
    switch (tag) {
      case 0x80:
        this.mtimeSeconds = Number(from.sint64());
        return;
      case 0x88:
        this.mtimeNanos = from.uint32();
        return;
      case 0x90:
        this.hasAtime = true;
        this.atimeSeconds = Number(from.sint64());
        return;
      case 0x98:
        this.atimeNanos = from.uint32();
        return;
      case 0xa2:
        this.why = from.string();
        return;
      case 0xa8:
        this.streamMode = from.int32();
        return;
      default:
        from.skipType(tag & 7);
    }
  }

  #clear(): void {
    this.kind = this.ref = this.parent = this.newParent = this.offset = this.length = 0;
    this.mode = this.uid = this.gid = this.rdev = this.flags = this.fromOffset = 0;
    this.mtimeSeconds = this.mtimeNanos = this.atimeSeconds = this.atimeNanos = 0;
    this.name = this.newName = this.value = NOTHING;
    this.hasAtime = false;
    this.why = '';
    this.streamMode = 0;
  }
}

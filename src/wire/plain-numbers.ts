/**
 * protobufjs decodes 64-bit fields to Long objects when it finds the `long` package, which it
 * depends on. All such fields here stay below 2^53 (twinfs.proto), so numbers do, and cost no
 * objects.
 */
import protobuf from 'protobufjs/minimal.js';

(protobuf.util as { Long: unknown }).Long = null;
protobuf.configure();

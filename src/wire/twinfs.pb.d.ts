import * as $protobuf from "protobufjs/minimal.js";

/** Namespace twinfs. */
export namespace twinfs {

    /** Role enum. */
    enum Role {

        /** ROLE_UNSET value */
        ROLE_UNSET = 0,

        /** PRIMARY value */
        PRIMARY = 1,

        /** SECONDARY value */
        SECONDARY = 2
    }

    /** Mode enum. */
    enum Mode {

        /** MODE_UNSET value */
        MODE_UNSET = 0,

        /** SYNC value */
        SYNC = 1,

        /** SEMI_SYNC value */
        SEMI_SYNC = 2,

        /** ASYNC value */
        ASYNC = 3
    }

    /** DataState enum. */
    enum DataState {

        /** DATA_UNSET value */
        DATA_UNSET = 0,

        /** UP_TO_DATE value */
        UP_TO_DATE = 1,

        /** CONSISTENT value */
        CONSISTENT = 2,

        /** OUTDATED value */
        OUTDATED = 3,

        /** INCONSISTENT value */
        INCONSISTENT = 4
    }

    /**
     * Properties of a Hello.
     * @deprecated Use twinfs.Hello.$Properties instead.
     */
    interface IHello extends twinfs.Hello.$Properties {
    }

    /** Represents a Hello. */
    class Hello {

        /**
         * Constructs a new Hello.
         * @param [properties] Properties to set
         */
        constructor(properties?: twinfs.Hello.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Hello protocol. */
        protocol: number;

        /** Hello features. */
        features: Uint8Array;

        /** Hello mirrorId. */
        mirrorId: Uint8Array;

        /** Hello nodeId. */
        nodeId: Uint8Array;

        /** Hello bootId. */
        bootId: string;

        /** Hello instance. */
        instance: Uint8Array;

        /** Hello role. */
        role: twinfs.Role;

        /** Hello data. */
        data: twinfs.DataState;

        /** Hello current. */
        current: Uint8Array;

        /** Hello base. */
        base: Uint8Array;

        /** Hello history. */
        history: Uint8Array[];

        /** Hello wentAlone. */
        wentAlone: boolean;

        /** Hello empty. */
        empty: boolean;

        /** Hello mode. */
        mode: twinfs.Mode;

        /** Hello clockMs. */
        clockMs: number;

        /** Hello software. */
        software: string;

        /** Hello overwritePeer. */
        overwritePeer: boolean;

        /** Hello discardMine. */
        discardMine: boolean;

        /** Hello clean. */
        clean: boolean;

        /** Hello epoch. */
        epoch: Uint8Array;

        /**
         * Encodes the specified Hello message. Does not implicitly {@link twinfs.Hello.verify|verify} messages.
         * @param message Hello message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: twinfs.Hello.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Hello message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {twinfs.Hello & twinfs.Hello.$Shape} Hello
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): twinfs.Hello & twinfs.Hello.$Shape;
    }

    namespace Hello {

        /** Properties of a Hello. */
        interface $Properties {

            /** Hello protocol */
            protocol?: (number|null);

            /** Hello features */
            features?: (Uint8Array|null);

            /** Hello mirrorId */
            mirrorId?: (Uint8Array|null);

            /** Hello nodeId */
            nodeId?: (Uint8Array|null);

            /** Hello bootId */
            bootId?: (string|null);

            /** Hello instance */
            instance?: (Uint8Array|null);

            /** Hello role */
            role?: (twinfs.Role|null);

            /** Hello data */
            data?: (twinfs.DataState|null);

            /** Hello current */
            current?: (Uint8Array|null);

            /** Hello base */
            base?: (Uint8Array|null);

            /** Hello history */
            history?: (Uint8Array[]|null);

            /** Hello wentAlone */
            wentAlone?: (boolean|null);

            /** Hello empty */
            empty?: (boolean|null);

            /** Hello mode */
            mode?: (twinfs.Mode|null);

            /** Hello clockMs */
            clockMs?: (number|null);

            /** Hello software */
            software?: (string|null);

            /** Hello overwritePeer */
            overwritePeer?: (boolean|null);

            /** Hello discardMine */
            discardMine?: (boolean|null);

            /** Hello clean */
            clean?: (boolean|null);

            /** Hello epoch */
            epoch?: (Uint8Array|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Hello. */
        type $Shape = twinfs.Hello.$Properties;
    }

    /**
     * Properties of a Refuse.
     * @deprecated Use twinfs.Refuse.$Properties instead.
     */
    interface IRefuse extends twinfs.Refuse.$Properties {
    }

    /** Represents a Refuse. */
    class Refuse {

        /**
         * Constructs a new Refuse.
         * @param [properties] Properties to set
         */
        constructor(properties?: twinfs.Refuse.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Refuse code. */
        code: string;

        /** Refuse text. */
        text: string;

        /**
         * Encodes the specified Refuse message. Does not implicitly {@link twinfs.Refuse.verify|verify} messages.
         * @param message Refuse message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: twinfs.Refuse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Refuse message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {twinfs.Refuse & twinfs.Refuse.$Shape} Refuse
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): twinfs.Refuse & twinfs.Refuse.$Shape;
    }

    namespace Refuse {

        /** Properties of a Refuse. */
        interface $Properties {

            /** Refuse code */
            code?: (string|null);

            /** Refuse text */
            text?: (string|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Refuse. */
        type $Shape = twinfs.Refuse.$Properties;
    }

    /**
     * Properties of a Decision.
     * @deprecated Use twinfs.Decision.$Properties instead.
     */
    interface IDecision extends twinfs.Decision.$Properties {
    }

    /** Represents a Decision. */
    class Decision {

        /**
         * Constructs a new Decision.
         * @param [properties] Properties to set
         */
        constructor(properties?: twinfs.Decision.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Decision kind. */
        kind: string;

        /** Decision rule. */
        rule: string;

        /** Decision mirrorId. */
        mirrorId: Uint8Array;

        /**
         * Encodes the specified Decision message. Does not implicitly {@link twinfs.Decision.verify|verify} messages.
         * @param message Decision message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: twinfs.Decision.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Decision message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {twinfs.Decision & twinfs.Decision.$Shape} Decision
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): twinfs.Decision & twinfs.Decision.$Shape;
    }

    namespace Decision {

        /** Properties of a Decision. */
        interface $Properties {

            /** Decision kind */
            kind?: (string|null);

            /** Decision rule */
            rule?: (string|null);

            /** Decision mirrorId */
            mirrorId?: (Uint8Array|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Decision. */
        type $Shape = twinfs.Decision.$Properties;
    }

    /**
     * Properties of an OpBatch.
     * @deprecated Use twinfs.OpBatch.$Properties instead.
     */
    interface IOpBatch extends twinfs.OpBatch.$Properties {
    }

    /** Represents an OpBatch. */
    class OpBatch {

        /**
         * Constructs a new OpBatch.
         * @param [properties] Properties to set
         */
        constructor(properties?: twinfs.OpBatch.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** OpBatch firstSeq. */
        firstSeq: number;

        /** OpBatch ops. */
        ops: twinfs.Op.$Properties[];

        /**
         * Encodes the specified OpBatch message. Does not implicitly {@link twinfs.OpBatch.verify|verify} messages.
         * @param message OpBatch message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: twinfs.OpBatch.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes an OpBatch message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {twinfs.OpBatch & twinfs.OpBatch.$Shape} OpBatch
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): twinfs.OpBatch & twinfs.OpBatch.$Shape;
    }

    namespace OpBatch {

        /** Properties of an OpBatch. */
        interface $Properties {

            /** OpBatch firstSeq */
            firstSeq?: (number|null);

            /** OpBatch ops */
            ops?: (twinfs.Op.$Properties[]|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of an OpBatch. */
        type $Shape = twinfs.OpBatch.$Properties;
    }

    /**
     * Properties of an Op.
     * @deprecated Use twinfs.Op.$Properties instead.
     */
    interface IOp extends twinfs.Op.$Properties {
    }

    /** Represents an Op. */
    class Op {

        /**
         * Constructs a new Op.
         * @param [properties] Properties to set
         */
        constructor(properties?: twinfs.Op.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Op kind. */
        kind: twinfs.Op.Kind;

        /** Op ref. */
        ref: number;

        /** Op parent. */
        parent: number;

        /** Op name. */
        name: Uint8Array;

        /** Op newParent. */
        newParent: number;

        /** Op newName. */
        newName: Uint8Array;

        /** Op offset. */
        offset: number;

        /** Op length. */
        length: number;

        /** Op mode. */
        mode: number;

        /** Op uid. */
        uid: number;

        /** Op gid. */
        gid: number;

        /** Op rdev. */
        rdev: number;

        /** Op flags. */
        flags: number;

        /** Op value. */
        value: Uint8Array;

        /** Op fromOffset. */
        fromOffset: number;

        /** Op mtimeSeconds. */
        mtimeSeconds: number;

        /** Op mtimeNanos. */
        mtimeNanos: number;

        /** Op atimeSeconds. */
        atimeSeconds?: (number|null);

        /** Op atimeNanos. */
        atimeNanos: number;

        /** Op why. */
        why: string;

        /** Op streamMode. */
        streamMode: twinfs.Mode;

        /**
         * Encodes the specified Op message. Does not implicitly {@link twinfs.Op.verify|verify} messages.
         * @param message Op message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: twinfs.Op.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes an Op message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {twinfs.Op & twinfs.Op.$Shape} Op
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): twinfs.Op & twinfs.Op.$Shape;
    }

    namespace Op {

        /** Properties of an Op. */
        interface $Properties {

            /** Op kind */
            kind?: (twinfs.Op.Kind|null);

            /** Op ref */
            ref?: (number|null);

            /** Op parent */
            parent?: (number|null);

            /** Op name */
            name?: (Uint8Array|null);

            /** Op newParent */
            newParent?: (number|null);

            /** Op newName */
            newName?: (Uint8Array|null);

            /** Op offset */
            offset?: (number|null);

            /** Op length */
            length?: (number|null);

            /** Op mode */
            mode?: (number|null);

            /** Op uid */
            uid?: (number|null);

            /** Op gid */
            gid?: (number|null);

            /** Op rdev */
            rdev?: (number|null);

            /** Op flags */
            flags?: (number|null);

            /** Op value */
            value?: (Uint8Array|null);

            /** Op fromOffset */
            fromOffset?: (number|null);

            /** Op mtimeSeconds */
            mtimeSeconds?: (number|null);

            /** Op mtimeNanos */
            mtimeNanos?: (number|null);

            /** Op atimeSeconds */
            atimeSeconds?: (number|null);

            /** Op atimeNanos */
            atimeNanos?: (number|null);

            /** Op why */
            why?: (string|null);

            /** Op streamMode */
            streamMode?: (twinfs.Mode|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of an Op. */
        type $Shape = twinfs.Op.$Properties;

        /** Kind enum. */
        enum Kind {

            /** UNSET value */
            UNSET = 0,

            /** BIND value */
            BIND = 1,

            /** FORGET value */
            FORGET = 2,

            /** WRITE value */
            WRITE = 3,

            /** TRUNCATE value */
            TRUNCATE = 4,

            /** FALLOCATE value */
            FALLOCATE = 5,

            /** COPY_RANGE value */
            COPY_RANGE = 6,

            /** CREATE value */
            CREATE = 7,

            /** LINK value */
            LINK = 8,

            /** UNLINK value */
            UNLINK = 9,

            /** RENAME value */
            RENAME = 10,

            /** SETATTR value */
            SETATTR = 11,

            /** TIMES value */
            TIMES = 12,

            /** SETXATTR value */
            SETXATTR = 13,

            /** REMOVEXATTR value */
            REMOVEXATTR = 14,

            /** FSYNC value */
            FSYNC = 15,

            /** BARRIER value */
            BARRIER = 16
        }
    }

    /**
     * Properties of an Ack.
     * @deprecated Use twinfs.Ack.$Properties instead.
     */
    interface IAck extends twinfs.Ack.$Properties {
    }

    /** Represents an Ack. */
    class Ack {

        /**
         * Constructs a new Ack.
         * @param [properties] Properties to set
         */
        constructor(properties?: twinfs.Ack.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Ack received. */
        received: number;

        /** Ack applied. */
        applied: number;

        /** Ack durable. */
        durable: number;

        /** Ack failedSeq. */
        failedSeq: number;

        /** Ack failedErrno. */
        failedErrno: number;

        /** Ack failedText. */
        failedText: string;

        /** Ack freeBytes. */
        freeBytes?: (number|null);

        /** Ack availableBytes. */
        availableBytes: number;

        /** Ack freeFiles. */
        freeFiles: number;

        /**
         * Encodes the specified Ack message. Does not implicitly {@link twinfs.Ack.verify|verify} messages.
         * @param message Ack message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: twinfs.Ack.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes an Ack message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {twinfs.Ack & twinfs.Ack.$Shape} Ack
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): twinfs.Ack & twinfs.Ack.$Shape;
    }

    namespace Ack {

        /** Properties of an Ack. */
        interface $Properties {

            /** Ack received */
            received?: (number|null);

            /** Ack applied */
            applied?: (number|null);

            /** Ack durable */
            durable?: (number|null);

            /** Ack failedSeq */
            failedSeq?: (number|null);

            /** Ack failedErrno */
            failedErrno?: (number|null);

            /** Ack failedText */
            failedText?: (string|null);

            /** Ack freeBytes */
            freeBytes?: (number|null);

            /** Ack availableBytes */
            availableBytes?: (number|null);

            /** Ack freeFiles */
            freeFiles?: (number|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of an Ack. */
        type $Shape = twinfs.Ack.$Properties;
    }

    /**
     * Properties of a Ping.
     * @deprecated Use twinfs.Ping.$Properties instead.
     */
    interface IPing extends twinfs.Ping.$Properties {
    }

    /** Represents a Ping. */
    class Ping {

        /**
         * Constructs a new Ping.
         * @param [properties] Properties to set
         */
        constructor(properties?: twinfs.Ping.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Ping number. */
        number: number;

        /**
         * Encodes the specified Ping message. Does not implicitly {@link twinfs.Ping.verify|verify} messages.
         * @param message Ping message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: twinfs.Ping.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Ping message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {twinfs.Ping & twinfs.Ping.$Shape} Ping
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): twinfs.Ping & twinfs.Ping.$Shape;
    }

    namespace Ping {

        /** Properties of a Ping. */
        interface $Properties {

            /** Ping number */
            number?: (number|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Ping. */
        type $Shape = twinfs.Ping.$Properties;
    }

    /**
     * Properties of a Pong.
     * @deprecated Use twinfs.Pong.$Properties instead.
     */
    interface IPong extends twinfs.Pong.$Properties {
    }

    /** Represents a Pong. */
    class Pong {

        /**
         * Constructs a new Pong.
         * @param [properties] Properties to set
         */
        constructor(properties?: twinfs.Pong.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Pong number. */
        number: number;

        /**
         * Encodes the specified Pong message. Does not implicitly {@link twinfs.Pong.verify|verify} messages.
         * @param message Pong message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: twinfs.Pong.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Pong message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {twinfs.Pong & twinfs.Pong.$Shape} Pong
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): twinfs.Pong & twinfs.Pong.$Shape;
    }

    namespace Pong {

        /** Properties of a Pong. */
        interface $Properties {

            /** Pong number */
            number?: (number|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Pong. */
        type $Shape = twinfs.Pong.$Properties;
    }

    /**
     * Properties of a Meta.
     * @deprecated Use twinfs.Meta.$Properties instead.
     */
    interface IMeta extends twinfs.Meta.$Properties {
    }

    /** Represents a Meta. */
    class Meta {

        /**
         * Constructs a new Meta.
         * @param [properties] Properties to set
         */
        constructor(properties?: twinfs.Meta.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Meta mode. */
        mode: number;

        /** Meta uid. */
        uid: number;

        /** Meta gid. */
        gid: number;

        /** Meta size. */
        size: number;

        /** Meta mtimeSeconds. */
        mtimeSeconds: number;

        /** Meta mtimeNanos. */
        mtimeNanos: number;

        /** Meta rdev. */
        rdev: number;

        /** Meta target. */
        target: Uint8Array;

        /** Meta xattrs. */
        xattrs: twinfs.Xattr.$Properties[];

        /** Meta linkGroup. */
        linkGroup: Uint8Array;

        /**
         * Encodes the specified Meta message. Does not implicitly {@link twinfs.Meta.verify|verify} messages.
         * @param message Meta message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: twinfs.Meta.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Meta message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {twinfs.Meta & twinfs.Meta.$Shape} Meta
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): twinfs.Meta & twinfs.Meta.$Shape;
    }

    namespace Meta {

        /** Properties of a Meta. */
        interface $Properties {

            /** Meta mode */
            mode?: (number|null);

            /** Meta uid */
            uid?: (number|null);

            /** Meta gid */
            gid?: (number|null);

            /** Meta size */
            size?: (number|null);

            /** Meta mtimeSeconds */
            mtimeSeconds?: (number|null);

            /** Meta mtimeNanos */
            mtimeNanos?: (number|null);

            /** Meta rdev */
            rdev?: (number|null);

            /** Meta target */
            target?: (Uint8Array|null);

            /** Meta xattrs */
            xattrs?: (twinfs.Xattr.$Properties[]|null);

            /** Meta linkGroup */
            linkGroup?: (Uint8Array|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Meta. */
        type $Shape = twinfs.Meta.$Properties;
    }

    /**
     * Properties of a Xattr.
     * @deprecated Use twinfs.Xattr.$Properties instead.
     */
    interface IXattr extends twinfs.Xattr.$Properties {
    }

    /** Represents a Xattr. */
    class Xattr {

        /**
         * Constructs a new Xattr.
         * @param [properties] Properties to set
         */
        constructor(properties?: twinfs.Xattr.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Xattr name. */
        name: Uint8Array;

        /** Xattr value. */
        value: Uint8Array;

        /**
         * Encodes the specified Xattr message. Does not implicitly {@link twinfs.Xattr.verify|verify} messages.
         * @param message Xattr message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: twinfs.Xattr.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Xattr message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {twinfs.Xattr & twinfs.Xattr.$Shape} Xattr
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): twinfs.Xattr & twinfs.Xattr.$Shape;
    }

    namespace Xattr {

        /** Properties of a Xattr. */
        interface $Properties {

            /** Xattr name */
            name?: (Uint8Array|null);

            /** Xattr value */
            value?: (Uint8Array|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Xattr. */
        type $Shape = twinfs.Xattr.$Properties;
    }

    /**
     * Properties of a DirList.
     * @deprecated Use twinfs.DirList.$Properties instead.
     */
    interface IDirList extends twinfs.DirList.$Properties {
    }

    /** Represents a DirList. */
    class DirList {

        /**
         * Constructs a new DirList.
         * @param [properties] Properties to set
         */
        constructor(properties?: twinfs.DirList.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** DirList id. */
        id: number;

        /** DirList path. */
        path: Uint8Array;

        /** DirList self. */
        self?: (twinfs.Meta.$Properties|null);

        /** DirList entries. */
        entries: twinfs.Entry.$Properties[];

        /** DirList last. */
        last: boolean;

        /**
         * Encodes the specified DirList message. Does not implicitly {@link twinfs.DirList.verify|verify} messages.
         * @param message DirList message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: twinfs.DirList.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a DirList message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {twinfs.DirList & twinfs.DirList.$Shape} DirList
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): twinfs.DirList & twinfs.DirList.$Shape;
    }

    namespace DirList {

        /** Properties of a DirList. */
        interface $Properties {

            /** DirList id */
            id?: (number|null);

            /** DirList path */
            path?: (Uint8Array|null);

            /** DirList self */
            self?: (twinfs.Meta.$Properties|null);

            /** DirList entries */
            entries?: (twinfs.Entry.$Properties[]|null);

            /** DirList last */
            last?: (boolean|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a DirList. */
        type $Shape = twinfs.DirList.$Properties;
    }

    /**
     * Properties of an Entry.
     * @deprecated Use twinfs.Entry.$Properties instead.
     */
    interface IEntry extends twinfs.Entry.$Properties {
    }

    /** Represents an Entry. */
    class Entry {

        /**
         * Constructs a new Entry.
         * @param [properties] Properties to set
         */
        constructor(properties?: twinfs.Entry.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Entry name. */
        name: Uint8Array;

        /** Entry meta. */
        meta?: (twinfs.Meta.$Properties|null);

        /**
         * Encodes the specified Entry message. Does not implicitly {@link twinfs.Entry.verify|verify} messages.
         * @param message Entry message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: twinfs.Entry.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes an Entry message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {twinfs.Entry & twinfs.Entry.$Shape} Entry
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): twinfs.Entry & twinfs.Entry.$Shape;
    }

    namespace Entry {

        /** Properties of an Entry. */
        interface $Properties {

            /** Entry name */
            name?: (Uint8Array|null);

            /** Entry meta */
            meta?: (twinfs.Meta.$Properties|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of an Entry. */
        type $Shape = twinfs.Entry.$Properties;
    }

    /**
     * Properties of a DirResult.
     * @deprecated Use twinfs.DirResult.$Properties instead.
     */
    interface IDirResult extends twinfs.DirResult.$Properties {
    }

    /** Represents a DirResult. */
    class DirResult {

        /**
         * Constructs a new DirResult.
         * @param [properties] Properties to set
         */
        constructor(properties?: twinfs.DirResult.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** DirResult id. */
        id: number;

        /** DirResult fresh. */
        fresh: Uint8Array[];

        /** DirResult linked. */
        linked: Uint8Array[];

        /** DirResult removed. */
        removed: number;

        /** DirResult problem. */
        problem?: (twinfs.Problem.$Properties|null);

        /** DirResult stale. */
        stale: Uint8Array[];

        /**
         * Encodes the specified DirResult message. Does not implicitly {@link twinfs.DirResult.verify|verify} messages.
         * @param message DirResult message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: twinfs.DirResult.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a DirResult message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {twinfs.DirResult & twinfs.DirResult.$Shape} DirResult
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): twinfs.DirResult & twinfs.DirResult.$Shape;
    }

    namespace DirResult {

        /** Properties of a DirResult. */
        interface $Properties {

            /** DirResult id */
            id?: (number|null);

            /** DirResult fresh */
            fresh?: (Uint8Array[]|null);

            /** DirResult linked */
            linked?: (Uint8Array[]|null);

            /** DirResult removed */
            removed?: (number|null);

            /** DirResult problem */
            problem?: (twinfs.Problem.$Properties|null);

            /** DirResult stale */
            stale?: (Uint8Array[]|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a DirResult. */
        type $Shape = twinfs.DirResult.$Properties;
    }

    /**
     * Properties of a Problem.
     * @deprecated Use twinfs.Problem.$Properties instead.
     */
    interface IProblem extends twinfs.Problem.$Properties {
    }

    /** Represents a Problem. */
    class Problem {

        /**
         * Constructs a new Problem.
         * @param [properties] Properties to set
         */
        constructor(properties?: twinfs.Problem.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Problem errno. */
        errno: number;

        /** Problem text. */
        text: string;

        /** Problem missing. */
        missing: boolean;

        /**
         * Encodes the specified Problem message. Does not implicitly {@link twinfs.Problem.verify|verify} messages.
         * @param message Problem message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: twinfs.Problem.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Problem message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {twinfs.Problem & twinfs.Problem.$Shape} Problem
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): twinfs.Problem & twinfs.Problem.$Shape;
    }

    namespace Problem {

        /** Properties of a Problem. */
        interface $Properties {

            /** Problem errno */
            errno?: (number|null);

            /** Problem text */
            text?: (string|null);

            /** Problem missing */
            missing?: (boolean|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Problem. */
        type $Shape = twinfs.Problem.$Properties;
    }

    /**
     * Properties of a FileOpen.
     * @deprecated Use twinfs.FileOpen.$Properties instead.
     */
    interface IFileOpen extends twinfs.FileOpen.$Properties {
    }

    /** Represents a FileOpen. */
    class FileOpen {

        /**
         * Constructs a new FileOpen.
         * @param [properties] Properties to set
         */
        constructor(properties?: twinfs.FileOpen.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** FileOpen id. */
        id: number;

        /** FileOpen path. */
        path: Uint8Array;

        /** FileOpen meta. */
        meta?: (twinfs.Meta.$Properties|null);

        /** FileOpen blockSize. */
        blockSize: number;

        /** FileOpen whole. */
        whole: boolean;

        /** FileOpen hashes. */
        hashes: Uint8Array;

        /**
         * Encodes the specified FileOpen message. Does not implicitly {@link twinfs.FileOpen.verify|verify} messages.
         * @param message FileOpen message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: twinfs.FileOpen.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a FileOpen message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {twinfs.FileOpen & twinfs.FileOpen.$Shape} FileOpen
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): twinfs.FileOpen & twinfs.FileOpen.$Shape;
    }

    namespace FileOpen {

        /** Properties of a FileOpen. */
        interface $Properties {

            /** FileOpen id */
            id?: (number|null);

            /** FileOpen path */
            path?: (Uint8Array|null);

            /** FileOpen meta */
            meta?: (twinfs.Meta.$Properties|null);

            /** FileOpen blockSize */
            blockSize?: (number|null);

            /** FileOpen whole */
            whole?: (boolean|null);

            /** FileOpen hashes */
            hashes?: (Uint8Array|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a FileOpen. */
        type $Shape = twinfs.FileOpen.$Properties;
    }

    /**
     * Properties of a FileHashes.
     * @deprecated Use twinfs.FileHashes.$Properties instead.
     */
    interface IFileHashes extends twinfs.FileHashes.$Properties {
    }

    /** Represents a FileHashes. */
    class FileHashes {

        /**
         * Constructs a new FileHashes.
         * @param [properties] Properties to set
         */
        constructor(properties?: twinfs.FileHashes.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** FileHashes id. */
        id: number;

        /** FileHashes firstBlock. */
        firstBlock: number;

        /** FileHashes hashes. */
        hashes: Uint8Array;

        /** FileHashes last. */
        last: boolean;

        /** FileHashes size. */
        size: number;

        /** FileHashes problem. */
        problem?: (twinfs.Problem.$Properties|null);

        /**
         * Encodes the specified FileHashes message. Does not implicitly {@link twinfs.FileHashes.verify|verify} messages.
         * @param message FileHashes message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: twinfs.FileHashes.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a FileHashes message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {twinfs.FileHashes & twinfs.FileHashes.$Shape} FileHashes
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): twinfs.FileHashes & twinfs.FileHashes.$Shape;
    }

    namespace FileHashes {

        /** Properties of a FileHashes. */
        interface $Properties {

            /** FileHashes id */
            id?: (number|null);

            /** FileHashes firstBlock */
            firstBlock?: (number|null);

            /** FileHashes hashes */
            hashes?: (Uint8Array|null);

            /** FileHashes last */
            last?: (boolean|null);

            /** FileHashes size */
            size?: (number|null);

            /** FileHashes problem */
            problem?: (twinfs.Problem.$Properties|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a FileHashes. */
        type $Shape = twinfs.FileHashes.$Properties;
    }

    /**
     * Properties of a FileData.
     * @deprecated Use twinfs.FileData.$Properties instead.
     */
    interface IFileData extends twinfs.FileData.$Properties {
    }

    /** Represents a FileData. */
    class FileData {

        /**
         * Constructs a new FileData.
         * @param [properties] Properties to set
         */
        constructor(properties?: twinfs.FileData.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** FileData id. */
        id: number;

        /** FileData offset. */
        offset: number;

        /** FileData zeros. */
        zeros: number;

        /**
         * Encodes the specified FileData message. Does not implicitly {@link twinfs.FileData.verify|verify} messages.
         * @param message FileData message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: twinfs.FileData.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a FileData message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {twinfs.FileData & twinfs.FileData.$Shape} FileData
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): twinfs.FileData & twinfs.FileData.$Shape;
    }

    namespace FileData {

        /** Properties of a FileData. */
        interface $Properties {

            /** FileData id */
            id?: (number|null);

            /** FileData offset */
            offset?: (number|null);

            /** FileData zeros */
            zeros?: (number|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a FileData. */
        type $Shape = twinfs.FileData.$Properties;
    }

    /**
     * Properties of a FileClose.
     * @deprecated Use twinfs.FileClose.$Properties instead.
     */
    interface IFileClose extends twinfs.FileClose.$Properties {
    }

    /** Represents a FileClose. */
    class FileClose {

        /**
         * Constructs a new FileClose.
         * @param [properties] Properties to set
         */
        constructor(properties?: twinfs.FileClose.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** FileClose id. */
        id: number;

        /** FileClose meta. */
        meta?: (twinfs.Meta.$Properties|null);

        /**
         * Encodes the specified FileClose message. Does not implicitly {@link twinfs.FileClose.verify|verify} messages.
         * @param message FileClose message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: twinfs.FileClose.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a FileClose message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {twinfs.FileClose & twinfs.FileClose.$Shape} FileClose
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): twinfs.FileClose & twinfs.FileClose.$Shape;
    }

    namespace FileClose {

        /** Properties of a FileClose. */
        interface $Properties {

            /** FileClose id */
            id?: (number|null);

            /** FileClose meta */
            meta?: (twinfs.Meta.$Properties|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a FileClose. */
        type $Shape = twinfs.FileClose.$Properties;
    }

    /**
     * Properties of a FileDone.
     * @deprecated Use twinfs.FileDone.$Properties instead.
     */
    interface IFileDone extends twinfs.FileDone.$Properties {
    }

    /** Represents a FileDone. */
    class FileDone {

        /**
         * Constructs a new FileDone.
         * @param [properties] Properties to set
         */
        constructor(properties?: twinfs.FileDone.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** FileDone id. */
        id: number;

        /** FileDone problem. */
        problem?: (twinfs.Problem.$Properties|null);

        /**
         * Encodes the specified FileDone message. Does not implicitly {@link twinfs.FileDone.verify|verify} messages.
         * @param message FileDone message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: twinfs.FileDone.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a FileDone message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {twinfs.FileDone & twinfs.FileDone.$Shape} FileDone
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): twinfs.FileDone & twinfs.FileDone.$Shape;
    }

    namespace FileDone {

        /** Properties of a FileDone. */
        interface $Properties {

            /** FileDone id */
            id?: (number|null);

            /** FileDone problem */
            problem?: (twinfs.Problem.$Properties|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a FileDone. */
        type $Shape = twinfs.FileDone.$Properties;
    }

    /**
     * Properties of a SyncCredit.
     * @deprecated Use twinfs.SyncCredit.$Properties instead.
     */
    interface ISyncCredit extends twinfs.SyncCredit.$Properties {
    }

    /** Represents a SyncCredit. */
    class SyncCredit {

        /**
         * Constructs a new SyncCredit.
         * @param [properties] Properties to set
         */
        constructor(properties?: twinfs.SyncCredit.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** SyncCredit bytes. */
        bytes: number;

        /**
         * Encodes the specified SyncCredit message. Does not implicitly {@link twinfs.SyncCredit.verify|verify} messages.
         * @param message SyncCredit message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: twinfs.SyncCredit.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a SyncCredit message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {twinfs.SyncCredit & twinfs.SyncCredit.$Shape} SyncCredit
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): twinfs.SyncCredit & twinfs.SyncCredit.$Shape;
    }

    namespace SyncCredit {

        /** Properties of a SyncCredit. */
        interface $Properties {

            /** SyncCredit bytes */
            bytes?: (number|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a SyncCredit. */
        type $Shape = twinfs.SyncCredit.$Properties;
    }

    /**
     * Properties of a SyncProgress.
     * @deprecated Use twinfs.SyncProgress.$Properties instead.
     */
    interface ISyncProgress extends twinfs.SyncProgress.$Properties {
    }

    /** Represents a SyncProgress. */
    class SyncProgress {

        /**
         * Constructs a new SyncProgress.
         * @param [properties] Properties to set
         */
        constructor(properties?: twinfs.SyncProgress.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** SyncProgress filesDone. */
        filesDone: number;

        /** SyncProgress filesTotal. */
        filesTotal: number;

        /** SyncProgress bytesDone. */
        bytesDone: number;

        /** SyncProgress bytesTotal. */
        bytesTotal: number;

        /** SyncProgress bytesSent. */
        bytesSent: number;

        /** SyncProgress pass. */
        pass: number;

        /** SyncProgress rate. */
        rate: number;

        /**
         * Encodes the specified SyncProgress message. Does not implicitly {@link twinfs.SyncProgress.verify|verify} messages.
         * @param message SyncProgress message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: twinfs.SyncProgress.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a SyncProgress message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {twinfs.SyncProgress & twinfs.SyncProgress.$Shape} SyncProgress
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): twinfs.SyncProgress & twinfs.SyncProgress.$Shape;
    }

    namespace SyncProgress {

        /** Properties of a SyncProgress. */
        interface $Properties {

            /** SyncProgress filesDone */
            filesDone?: (number|null);

            /** SyncProgress filesTotal */
            filesTotal?: (number|null);

            /** SyncProgress bytesDone */
            bytesDone?: (number|null);

            /** SyncProgress bytesTotal */
            bytesTotal?: (number|null);

            /** SyncProgress bytesSent */
            bytesSent?: (number|null);

            /** SyncProgress pass */
            pass?: (number|null);

            /** SyncProgress rate */
            rate?: (number|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a SyncProgress. */
        type $Shape = twinfs.SyncProgress.$Properties;
    }

    /**
     * Properties of a SyncEnd.
     * @deprecated Use twinfs.SyncEnd.$Properties instead.
     */
    interface ISyncEnd extends twinfs.SyncEnd.$Properties {
    }

    /** Represents a SyncEnd. */
    class SyncEnd {

        /**
         * Constructs a new SyncEnd.
         * @param [properties] Properties to set
         */
        constructor(properties?: twinfs.SyncEnd.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** SyncEnd current. */
        current: Uint8Array;

        /** SyncEnd base. */
        base: Uint8Array;

        /** SyncEnd history. */
        history: Uint8Array[];

        /** SyncEnd mode. */
        mode: twinfs.Mode;

        /**
         * Encodes the specified SyncEnd message. Does not implicitly {@link twinfs.SyncEnd.verify|verify} messages.
         * @param message SyncEnd message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: twinfs.SyncEnd.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a SyncEnd message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {twinfs.SyncEnd & twinfs.SyncEnd.$Shape} SyncEnd
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): twinfs.SyncEnd & twinfs.SyncEnd.$Shape;
    }

    namespace SyncEnd {

        /** Properties of a SyncEnd. */
        interface $Properties {

            /** SyncEnd current */
            current?: (Uint8Array|null);

            /** SyncEnd base */
            base?: (Uint8Array|null);

            /** SyncEnd history */
            history?: (Uint8Array[]|null);

            /** SyncEnd mode */
            mode?: (twinfs.Mode|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a SyncEnd. */
        type $Shape = twinfs.SyncEnd.$Properties;
    }

    /**
     * Properties of a SyncStored.
     * @deprecated Use twinfs.SyncStored.$Properties instead.
     */
    interface ISyncStored extends twinfs.SyncStored.$Properties {
    }

    /** Represents a SyncStored. */
    class SyncStored {

        /**
         * Constructs a new SyncStored.
         * @param [properties] Properties to set
         */
        constructor(properties?: twinfs.SyncStored.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /**
         * Encodes the specified SyncStored message. Does not implicitly {@link twinfs.SyncStored.verify|verify} messages.
         * @param message SyncStored message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: twinfs.SyncStored.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a SyncStored message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {twinfs.SyncStored & twinfs.SyncStored.$Shape} SyncStored
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): twinfs.SyncStored & twinfs.SyncStored.$Shape;
    }

    namespace SyncStored {

        /** Properties of a SyncStored. */
        interface $Properties {

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a SyncStored. */
        type $Shape = twinfs.SyncStored.$Properties;
    }
}

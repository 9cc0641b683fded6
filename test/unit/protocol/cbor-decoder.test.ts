import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CBOR_ITEMS_MAX, CBOR_TEXT_BYTES_MAX } from '../../../component/base/limits.ts'
import { decodeCborMap, type CborValue } from '../../../component/protocol/cbor-decoder.ts'
import { hex } from '../../helpers/protocol-payloads.ts'

/** A definite map of one entry: the key `v`. */
const mapOf = (valueHex: string): Buffer => hex(`a1 61 76 ${valueHex}`)

function decoded(valueHex: string): CborValue {
  const result = decodeCborMap(mapOf(valueHex))
  if (!result.ok) assert.fail(result.reason)
  return result.map.get('v')
}

function reasonOf(bytes: Buffer): string {
  const result = decodeCborMap(bytes)
  return result.ok ? assert.fail('decoded') : result.reason
}

const refused = (valueHex: string): string => reasonOf(mapOf(valueHex))

describe('the CBOR decoder', () => {
  it('reads integers in every length, exactly', () => {
    const integers: readonly (readonly [string, number | bigint])[] = [
      ['00', 0],
      ['17', 23],
      ['18 18', 24],
      ['19 ffff', 65535],
      ['1a ffffffff', 2 ** 32 - 1],
      ['1b 0000000100000000', 2 ** 32],
      ['1b 001fffffffffffff', 2 ** 53 - 1],
      ['1b 0020000000000000', 2n ** 53n],
      ['1b ffffffffffffffff', 2n ** 64n - 1n],
      ['20', -1],
      ['38 ff', -256],
      ['3b 001ffffffffffffe', -(2 ** 53 - 1)],
      ['3b 001fffffffffffff', -(2n ** 53n)],
      ['3b ffffffffffffffff', -(2n ** 64n)]
    ]
    for (const [bytes, value] of integers) assert.equal(decoded(bytes), value, bytes)
  })

  it('reads heads longer than needed, as older Jackson versions write them', () => {
    assert.equal(decoded('1b 0000000000000001'), 1)
    assert.equal(decoded('78 01 61'), 'a')
    assert.equal(decoded('7b 0000000000000001 61'), 'a')
    assert.deepEqual(decoded('9a 00000001 f6'), [null])
  })

  it('reads floats of three widths', () => {
    const floats: readonly (readonly [string, number])[] = [
      ['f9 0000', 0],
      ['f9 8000', -0],
      ['f9 3c00', 1],
      ['f9 3e00', 1.5],
      ['f9 7bff', 65504],
      ['f9 0001', 2 ** -24],
      ['f9 0400', 2 ** -14],
      ['f9 c400', -4],
      ['f9 7c00', Infinity],
      ['f9 fc00', -Infinity],
      ['f9 7e00', NaN],
      ['fa 5f000000', 2 ** 63],
      ['fa 45000800', 2048.5],
      ['fb 4340000000000001', 2 ** 53 + 2]
    ]
    for (const [bytes, value] of floats) assert.ok(Object.is(decoded(bytes), value), bytes)
  })

  it('reads booleans, null and undefined', () => {
    assert.deepEqual(['f4', 'f5', 'f6', 'f7'].map(decoded), [false, true, null, undefined])
  })

  it('reads indefinite maps, lists, text and byte strings', () => {
    assert.deepEqual(decoded('9f 01 9f ff ff'), [1, []])
    assert.deepEqual(decoded('bf 61 61 01 ff'), new Map([['a', 1]]))
    assert.equal(decoded('7f 61 61 60 62 6263 ff'), 'abc')
    assert.equal(decoded('7f ff'), '')
    assert.deepEqual(decoded('5f 41 01 42 0203 ff'), Buffer.from([1, 2, 3]))
    assert.deepEqual(decoded('5f 42 0102 ff'), Buffer.from([1, 2]))
    const outermost = decodeCborMap(hex('bf 61 76 01 ff'))
    assert.ok(outermost.ok)
    assert.deepEqual(outermost.map, new Map([['v', 1]]))
  })

  it('joins chunks before it looks at their characters', () => {
    assert.equal(decoded('7f 61 c3 61 a9 ff'), 'é')
  })

  it('hands out byte strings as views', () => {
    const bytes = mapOf('43 010203')
    const result = decodeCborMap(bytes)
    assert.ok(result.ok)
    const view = result.map.get('v') as Buffer
    bytes[bytes.length - 1] = 9
    assert.deepEqual(view, Buffer.from([1, 2, 9]))
  })

  it('keeps keys that are special in JavaScript objects', () => {
    const result = decodeCborMap(hex('a1 69 5f5f70726f746f5f5f 01'))
    assert.ok(result.ok)
    assert.deepEqual([...result.map], [['__proto__', 1]])
  })

  it('refuses what is not one map and nothing else', () => {
    assert.match(reasonOf(Buffer.alloc(0)), /empty/)
    assert.match(reasonOf(hex('80')), /not a map/)
    assert.match(reasonOf(hex('d9d9f7 a0')), /not a map/)
    assert.match(reasonOf(hex('a0 00')), /bytes follow/)
  })

  it('refuses tags', () => {
    assert.match(refused('c0 61 61'), /tags/)
    assert.match(refused('d9 d9f7 01'), /tags/)
  })

  it('refuses a big integer of 1 MiB without computing it', () => {
    const bignum = Buffer.concat([mapOf('c2 5a 00100000'), Buffer.alloc(2 ** 20, 0xff)])
    assert.match(reasonOf(bignum), /tags/)
  })

  it('refuses duplicate keys at any level, also in another encoding', () => {
    assert.match(reasonOf(hex('a2 61 61 01 61 61 02')), /twice/)
    assert.match(reasonOf(hex('a2 61 61 01 78 01 61 02')), /twice/)
    assert.match(refused('a2 61 61 01 7f 61 61 ff 02'), /twice/)
  })

  it('refuses keys that are not text', () => {
    for (const key of ['01', '41 61', 'f6', '80', 'c0 61 61', 'ff']) assert.match(reasonOf(hex(`a1 ${key} 01`)), /key/)
  })

  it('refuses invalid UTF-8, short and long', () => {
    for (const text of ['ff', 'c328', 'eda080', 'f5808080', 'c0af']) {
      const bytes = hex(text)
      const padded = Buffer.concat([Buffer.alloc(100, 'a'), bytes])
      const head = (length: number): string => `78 ${length.toString(16).padStart(2, '0')}`
      assert.match(refused(`${head(bytes.length)} ${text}`), /UTF-8/)
      assert.match(refused(`${head(padded.length)} ${padded.toString('hex')}`), /UTF-8/)
    }
  })

  it('refuses lengths beyond what there is, without allocating them', () => {
    const sizes = ['18 05', '19 ffff', '1a 7fffffff', '1b 0020000000000000', '1b ffffffffffffffff']
    for (const major of [2, 3, 4, 5]) {
      for (const size of sizes) {
        const bytes = hex(size)
        bytes[0]! |= major << 5
        assert.match(refused(bytes.toString('hex')), /cut short/)
      }
    }
  })

  it('refuses indefinite items that never end', () => {
    for (const item of ['9f 01', 'bf 61 61 01', '7f 61 61', '5f 41 01', '9f', 'bf', '7f', '5f']) {
      assert.match(refused(item), /cut short/)
    }
  })

  it('refuses chunks of another type or without a length', () => {
    for (const item of ['7f 41 61 ff', '5f 61 61 ff', '7f 7f ff ff', '7f 01 ff']) assert.match(refused(item), /chunk/)
  })

  it('refuses reserved, unknown and misplaced initial bytes', () => {
    for (const item of ['1c', '1d', '1e', '5c', 'bd']) assert.match(refused(item), /reserved/)
    for (const item of ['e0', 'f8 20', 'fc', 'fe']) assert.match(refused(item), /simple value/)
    for (const item of ['1f', '3f']) assert.match(refused(item), /no length/)
    assert.match(refused('ff'), /break/)
    assert.match(refused('82 01 ff'), /break/)
    assert.match(reasonOf(hex('bf 61 61 ff')), /break/)
  })

  it('takes maps and lists 16 deep and no deeper', () => {
    const nested = (depth: number): string => `${'81'.repeat(depth - 2)} 80`
    assert.deepEqual(typeof decoded(nested(16)), 'object')
    assert.match(refused(nested(17)), /deeper than 16/)
    assert.match(refused('9f'.repeat(100_000)), /deeper than 16/)
    assert.match(refused('a1 61 61 '.repeat(16) + 'f6'), /deeper than 16/)
  })

  it('takes as many items as allowed and no more, empty ones and chunks included', () => {
    const list = (count: number): Buffer => Buffer.concat([mapOf('9f'), Buffer.alloc(count, 0x80), hex('ff')])
    // The map, its key and the list are items too.
    assert.ok(decodeCborMap(list(CBOR_ITEMS_MAX - 3)).ok)
    assert.match(reasonOf(list(CBOR_ITEMS_MAX - 2)), /more than 100000 items/)
    assert.match(reasonOf(Buffer.concat([mapOf('5f'), Buffer.alloc(2 ** 20, 0x40), hex('ff')])), /items/)
  })

  it('takes a text up to its limit, a byte string of any length', () => {
    const head = (major: number, bytes: number): Buffer => {
      const head = mapOf('1a 00000000')
      head[3]! |= major << 5
      head.writeUInt32BE(bytes, 4)
      return head
    }
    const of = (major: number, bytes: number): Buffer => Buffer.concat([head(major, bytes), Buffer.alloc(bytes, 'a')])
    assert.ok(decodeCborMap(of(3, CBOR_TEXT_BYTES_MAX)).ok)
    assert.match(reasonOf(of(3, CBOR_TEXT_BYTES_MAX + 1)), /text is longer/)
    assert.ok(decodeCborMap(of(2, CBOR_TEXT_BYTES_MAX + 1)).ok)
  })
})

describe('the request id of a map that cannot be decoded', () => {
  const requestId = '69 726571756573744964 63 616263'
  const idOf = (text: string): string | undefined => {
    const result = decodeCborMap(hex(text))
    return result.ok ? assert.fail('decoded') : result.requestId
  }

  it('is known when it came before what is wrong', () => {
    assert.equal(idOf(`a2 ${requestId} 61 61`), 'abc')
    assert.equal(idOf(`bf ${requestId}`), 'abc')
    assert.equal(idOf(`a2 ${requestId} 61 61 c0 01`), 'abc')
    assert.equal(idOf(`a1 ${requestId} 00`), 'abc')
    assert.equal(idOf(`a2 ${requestId} ${requestId}`), 'abc')
    assert.equal(idOf(`a3 61 61 01 ${requestId} 61 62 ff`), 'abc')
  })

  it('is unknown when it came later, was cut, is no text or stands in a nested map', () => {
    assert.equal(idOf(`a2 61 61 ff ${requestId}`), undefined)
    assert.equal(idOf('a1 69 726571756573744964 63 6162'), undefined)
    assert.equal(idOf('a2 69 726571756573744964 01 61 61'), undefined)
    assert.equal(idOf(`a2 61 61 a1 ${requestId}`), undefined)
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { encodeCborMap, wireInteger } from '../../../component/protocol/cbor-encoder.ts'

const encoded = (value: number | bigint): string =>
  encodeCborMap({ v: wireInteger(value) })
    .toString('hex')
    .slice(6)

describe('the CBOR encoder', () => {
  it('writes every integer as an integer', () => {
    assert.equal(encoded(0), '00')
    assert.equal(encoded(-1), '20')
    assert.equal(encoded(-1n), '20')
    assert.equal(encoded(2 ** 32 - 1), '1affffffff')
    assert.equal(encoded(2 ** 32), '1b0000000100000000')
    assert.equal(encoded(-(2 ** 31)), '3a7fffffff')
    assert.equal(encoded(-(2 ** 31) - 1), '3b0000000080000000')
    assert.equal(encoded(2n ** 63n - 1n), '1b7fffffffffffffff')
  })

  it('takes no number that is not exact', () => {
    for (const value of [1.5, NaN, 2 ** 53]) assert.throws(() => wireInteger(value), /exact/)
  })

  it('writes maps with definite length, without tags, keys in order', () => {
    const bytes = encodeCborMap({ requestId: 'a', list: [], bytes: Buffer.from('b'), flag: true, map: {} })
    assert.equal(
      bytes.toString('hex'),
      'a5' +
        '69726571756573744964' +
        '6161' +
        '646c697374' +
        '80' +
        '656279746573' +
        '4162' +
        '64666c6167f5' +
        '636d6170a0'
    )
  })
})

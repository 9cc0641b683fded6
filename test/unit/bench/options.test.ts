import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Options, parseOptions } from '../../bench/options.ts'
import { chooseScenarios } from '../../bench/suite.ts'

function parse(...args: string[]): Options {
  const options = parseOptions(args)
  assert.ok(options !== undefined)
  return options
}

const namesFor = (...args: string[]): string[] => chooseScenarios(parse(...args)).map(({ name }) => name)

describe('the options of the benchmark', () => {
  it('take what is given and complete the rest', () => {
    const options = parse('--seconds', '0.5', '--rounds', '2', 'read')
    assert.equal(options.seconds, 0.5)
    assert.equal(options.rounds, 2)
    assert.equal(options.minutes, 12)
    assert.deepEqual(options.names, ['read'])
    assert.equal(options.write, false)
  })

  it('are longer with --full, and may still be chosen one by one', () => {
    const options = parse('--full', '--stored-gib', '2')
    assert.equal(options.storedGib, 2)
    assert.equal(options.minutes, Infinity)
    assert.ok(options.seconds > parse().seconds)
  })

  it('refuse numbers that are none', () => {
    for (const args of [
      ['--seconds', '0'],
      ['--rounds', 'many'],
      ['--stored-messages', '1500']
    ]) {
      assert.throws(() => parseOptions(args), /--(seconds|rounds|stored-messages) must be/)
    }
  })

  it('ask for help', () => {
    assert.equal(parseOptions(['--help']), undefined)
  })
})

describe('the scenarios of the benchmark', () => {
  it('are the usual ones unless some are named', () => {
    const usual = namesFor()
    assert.ok(usual.includes('pipelined') && usual.includes('append-while-exporting') && usual.includes('start'))
    assert.ok(!usual.includes('export-s3') && !usual.includes('micro'))
    assert.ok(namesFor('--full').includes('export-s3'))
  })

  it('are chosen by name and by group', () => {
    assert.deepEqual(namesFor('flush', 'pipelined'), ['pipelined', 'flush'])
    assert.ok(namesFor('exports').every((name) => name.includes('export')))
  })

  it('are listed when a name is unknown', () => {
    assert.throws(() => namesFor('flsh'), /no scenario flsh; there are pipelined, /)
  })
})

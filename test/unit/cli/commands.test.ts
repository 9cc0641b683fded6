import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCommand, runCommand } from '../../../component/cli/index.ts'
import { nodeDisk } from '../../../component/store/index.ts'

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', '']
  const code = await runCommand(args, {
    write: (text) => void (out += text),
    writeError: (text) => void (err += text),
    disk: nodeDisk,
    workFolder: '/nowhere'
  })
  return { code, out, err }
}

test('the commands are known, and everything else is the server', () => {
  assert.deepEqual(['check', 'salvage', 'help', '--help', '-h'].map(isCommand), [true, true, true, true, true])
  assert.deepEqual([undefined, '', '--check', '--probe-catalogue', 'Check'].map(isCommand), [
    false,
    false,
    false,
    false,
    false
  ])
})

test('help lists the commands, and what one of them takes', async () => {
  const all = await run('help')
  assert.equal(all.code, 0)
  for (const name of ['check', 'salvage', 'help']) assert.match(all.out, new RegExp(`^ +${name} +\\S`, 'm'))
  for (const args of [
    ['help', 'check'],
    ['check', '--help'],
    ['check', 'x', '-h']
  ]) {
    const one = await run(...args)
    assert.equal(one.code, 0)
    assert.match(one.out, /^node stream-manager\.cjs check <root> \[--json\]\n/)
  }
  const unknown = await run('help', 'chekc')
  assert.deepEqual([unknown.code, unknown.out], [64, ''])
  assert.match(unknown.err, /there is no command "chekc"/)
})

for (const args of [
  ['check'],
  ['check', 'a', 'b'],
  ['check', 'a', '--to', 'b'],
  ['salvage', 'a'],
  ['salvage', 'a', '--to'],
  ['salvage', '--to', 'b'],
  ['salvage', 'a', '--to', 'b', '--strem', 'x']
]) {
  test(`wrong arguments are told with the usage: ${args.join(' ')}`, async () => {
    const { code, out, err } = await run(...args)
    assert.deepEqual([code, out], [64, ''])
    assert.match(err, new RegExp(`^${args[0]}: .+\nusage: node stream-manager.cjs ${args[0]} <root> `))
  })
}

test('a folder without a store is told in a line', async () => {
  const { code, out, err } = await run('check', 'store')
  assert.deepEqual([code, out, err], [2, '', 'check: there is no store in /nowhere/store: no folder streams-v1\n'])
})

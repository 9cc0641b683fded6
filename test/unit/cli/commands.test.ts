import assert from 'node:assert/strict'
import { test } from 'node:test'
import { COMMANDS } from '../../../component/cli/index.ts'
import { runInProcess as run } from '../../helpers/command-run.ts'

test('help lists the commands, and what one of them takes', async () => {
  const all = await run('help')
  assert.equal(all.code, 0)
  for (const { name } of COMMANDS) assert.match(all.out, new RegExp(`^ +${name} +\\S`, 'm'))
  for (const args of [
    ['help', 'check'],
    ['check', '--help'],
    ['check', 'x', '-h']
  ]) {
    const one = await run(...args)
    assert.equal(one.code, 0)
    assert.match(one.out, /^stream-manager check <root> \[--json\]\n/)
  }
})

for (const [word, hint] of [
  ['chekc', ' (did you mean "check"?)'],
  ['tial', ' (did you mean "tail"?)'],
  ['Describe', ' (did you mean "describe"?)'],
  ['--verison', ' (did you mean "version"?)'],
  ['xylophone', ''],
  ['', '']
] as const) {
  test(`an unknown command is told, and starts nothing: ${JSON.stringify(word)}`, async () => {
    const expected = { code: 64, out: '', err: `there is no command "${word}"${hint}; stream-manager help lists all\n` }
    assert.deepEqual(await run(word), expected)
    if (word !== '') assert.deepEqual(await run('help', word), expected)
  })
}

test('an argument behind -- is no wish for help', async () => {
  assert.match((await run('check', '--', '--help')).err, /there is no store/)
})

for (const args of [
  ['check'],
  ['check', 'a', 'b'],
  ['check', 'a', '--to', 'b'],
  ['salvage', 'a'],
  ['salvage', 'a', '--to'],
  ['salvage', '--to', 'b'],
  ['salvage', 'a', '--to', 'b', '--strem', 'x'],
  ['list', 'x'],
  ['list', '--port', '0'],
  ['list', '--pid', '1', '--env-file', 'x'],
  ['describe'],
  ['describe', 'a', '--json', '--yaml'],
  ['tail', 'a', '--view', 'xml'],
  ['tail', 'a', '--from', '1', '--at', '5m'],
  ['tail', 'a', '--at', 'yesterday'],
  ['tail', 'a', '--count', '0'],
  ['append', 'a', '--text', ''],
  ['append', 'a', '--text', 'x', 'file'],
  ['append', 'a', '--lines', '--salvaged'],
  ['create'],
  ['create', 'a', '--max-size', '12 parsecs'],
  ['create', 'a', '--on-full', 'explode'],
  ['create', 'a', '--export', 'kinseis:identifier=x'],
  ['pause', 'a'],
  ['pause', 'a', 'b', '--all'],
  ['replay', 'a', 'b'],
  ['replay', 'a', 'b', '--from', '1x'],
  ['completion', 'tcsh']
]) {
  test(`wrong arguments are told with the usage: ${args.join(' ')}`, async () => {
    const { code, out, err } = await run(...args)
    assert.deepEqual([code, out], [64, ''])
    assert.match(err, new RegExp(`^${args[0]}: .+\nusage: stream-manager ${args[0]} `))
  })
}

test('a folder without a store is told in a line', async () => {
  const { code, out, err } = await run('check', 'store')
  assert.deepEqual([code, out, err], [2, '', 'check: there is no store in /nowhere/store: no folder streams-v1\n'])
})

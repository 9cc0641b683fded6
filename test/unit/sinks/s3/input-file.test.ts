import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { openInput } from '../../../../component/sinks/s3/input-file.ts'
import { createInputPolicy } from '../../../../component/sinks/s3/input-policy.ts'
import { inputRules, type InputRules } from '../../../../component/sinks/s3/settings.ts'
import { createInputFolder } from '../../../helpers/s3-fixture.ts'

const folder = createInputFolder()
after(() => folder.remove())

const OPEN: InputRules = { forbiddenFolders: [], forbiddenParents: [], allowedRoots: [] }

/** `opened`, or the name of the refusal. */
async function resultOf(paths: string | readonly string[], rules: Partial<InputRules> = {}): Promise<string> {
  const policy = createInputPolicy({ ...OPEN, ...rules })
  const opened = await openInput(typeof paths === 'string' ? [paths] : paths, policy)
  if (opened.kind === 'opened') await opened.file.handle.close()
  return opened.kind === 'refused' ? opened.name : opened.kind
}

/** The results in a process that may not read everything, as that of the tests may when it is root's. */
async function resultsAsNobody(paths: readonly string[]): Promise<string[]> {
  if (process.getuid?.() !== 0) return Promise.all(paths.map((path) => resultOf(path)))
  const inputFile = join(import.meta.dirname, '../../../../component/sinks/s3/input-file.ts')
  const code = `
    import(${JSON.stringify(inputFile)}).then(async ({ openInput }) => {
      process.setgid(65534)
      process.setuid(65534)
      const results = []
      for (const path of ${JSON.stringify(paths)}) results.push(await openInput([path], { allows: () => true }))
      console.log(JSON.stringify(results.map(({ kind, name = kind }) => name)))
    })`
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', '-e', code])
  return JSON.parse(stdout) as string[]
}

describe('an input file', () => {
  const path = folder.write('plain', 'content')

  it('is a regular file, also behind a link', async () => {
    symlinkSync(path, join(folder.path, 'link'))
    assert.equal(await resultOf(path), 'opened')
    assert.equal(await resultOf(join(folder.path, 'link')), 'opened')
  })

  it('is the first of the paths that exists', async () => {
    assert.equal(await resultOf([join(folder.path, 'absent'), path]), 'opened')
    assert.equal(await resultOf([folder.path, path]), 'InputFileNotReadable')
  })

  it('must exist', async () => {
    symlinkSync('loop', join(folder.path, 'loop'))
    for (const absent of ['absent', 'plain/below', 'loop', 'x'.repeat(300)]) {
      assert.equal(await resultOf(join(folder.path, absent)), 'InputFileNotFound', absent)
    }
  })

  it('is no folder, pipe or device', async () => {
    const pipe = join(folder.path, 'pipe')
    execFileSync('mkfifo', [pipe])
    for (const other of [folder.path, pipe, '/dev/null', '/dev/zero']) {
      assert.equal(await resultOf(other), 'InputFileNotReadable', other)
    }
  })

  it('must be readable for this process', async () => {
    const secret = folder.write('unreadable', 'secret')
    mkdirSync(join(folder.path, 'closed'))
    const hidden = folder.write('closed/file', 'secret')
    chmodSync(folder.path, 0o755)
    chmodSync(secret, 0)
    chmodSync(join(folder.path, 'closed'), 0)
    assert.deepEqual(await resultsAsNobody([secret, hidden, path]), [
      'InputFileNotReadable',
      'InputFileNotReadable',
      'opened'
    ])
    chmodSync(join(folder.path, 'closed'), 0o700)
  })

  it('does not lie in a pseudo file system', async () => {
    for (const pseudo of ['/proc/self/environ', '/proc/version', '/sys/kernel/mm/transparent_hugepage/enabled']) {
      assert.equal(await resultOf(pseudo), 'InputFileNotAllowed', pseudo)
    }
  })

  it('does not lie in a forbidden folder, whatever way leads there', async () => {
    const secrets = join(folder.path, 'secrets')
    mkdirSync(join(secrets, 'deep'), { recursive: true })
    writeFileSync(join(secrets, 'deep', 'key'), 'secret')
    symlinkSync(secrets, join(folder.path, 'alias'))
    symlinkSync(join(secrets, 'deep', 'key'), join(folder.path, 'innocent'))
    mkdirSync(join(folder.path, 'secrets-of-others'))
    const neighbour = folder.write('secrets-of-others/file', 'public')
    for (const forbidden of [secrets, join(folder.path, 'alias')]) {
      const rules = { forbiddenFolders: [forbidden] }
      for (const way of ['secrets/deep/key', 'alias/deep/key', 'innocent', 'secrets-of-others/../secrets/deep/key']) {
        assert.equal(await resultOf(`${folder.path}/${way}`, rules), 'InputFileNotAllowed', way)
      }
      assert.equal(await resultOf(neighbour, rules), 'opened')
    }
  })

  it('does not lie directly in a forbidden parent', async () => {
    mkdirSync(join(folder.path, 'work'), { recursive: true })
    const rules = { forbiddenParents: [folder.path] }
    assert.equal(await resultOf(path, rules), 'InputFileNotAllowed')
    assert.equal(await resultOf(folder.write('work/file', 'x'), rules), 'opened')
  })

  it('lies below an allowed root when there are any', async () => {
    const inside = folder.write('work/inside', 'x')
    symlinkSync(path, join(folder.path, 'work', 'outside'))
    const rules = { allowedRoots: [join(folder.path, 'work'), '/absent'] }
    assert.equal(await resultOf(inside, rules), 'opened')
    assert.equal(await resultOf(path, rules), 'InputFileNotAllowed')
    assert.equal(await resultOf(join(folder.path, 'work', 'outside'), rules), 'InputFileNotAllowed')
  })
})

describe('the rules', () => {
  it('protect the store, the program, secrets and the nucleus, but no work folders', () => {
    const rules = inputRules({
      storeFolder: '/store',
      programFolder: '/program',
      nucleusFiles: ['/greengrass/v2/ipc.socket', '/greengrass/v2/rootCA.pem', '/tmp/ipc.socket'],
      secretFiles: ['/home/u/.aws'],
      allowedRoots: ['/data']
    })
    assert.deepEqual(rules, {
      forbiddenFolders: [
        '/store',
        '/program',
        '/greengrass/v2/config',
        '/greengrass/v2/deployments',
        '/greengrass/v2/cli_ipc_info',
        '/greengrass/v2/telemetry',
        '/home/u/.aws'
      ],
      forbiddenParents: ['/greengrass/v2'],
      allowedRoots: ['/data']
    })
  })
})

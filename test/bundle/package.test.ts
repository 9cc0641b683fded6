import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { ARCHITECTURES } from '../../scripts/architectures.ts'
import { createDevice, NAME, openFolder, runPackage, VERSION } from '../helpers/device.ts'
import { smoke } from '../helpers/smoke.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const folder = openFolder('stream-manager-package-')
const output = join(folder, 'out')
const artifacts = join(output, 'artifacts', NAME, VERSION)
let printed = ''
let told = ''

before(() => {
  const run = runPackage(['--local', '--output', output])
  assert.equal(run.status, 0, run.stderr)
  printed = run.stdout
  told = run.stderr
})
after(() => rmSync(folder, { recursive: true }))

describe('scripts/package', () => {
  it('leaves the artifacts of all architectures, each for its own processor, where the GDK publishes from', () => {
    const addons = [
      'aws-crt-linux-arm64.node',
      'aws-crt-linux-x64.node',
      ...['arm', 'arm64', 'x64'].map((a) => `lmdb-linux-${a}.node`)
    ]
    assert.deepEqual(
      readdirSync(artifacts).sort(),
      [...addons, 'launch.sh', 'stream-manager', 'stream-manager.cjs'].sort()
    )
    for (const file of addons) {
      const { elfMachine } = ARCHITECTURES.find(({ nodeArch }) => file.endsWith(`-${nodeArch}.node`))!
      const head = readFileSync(join(artifacts, file)).subarray(0, 20)
      assert.deepEqual([head.toString('latin1', 1, 4), head.readUInt16LE(18)], ['ELF', elfMachine], file)
    }
    const published = readFileSync(join(output, 'recipes', 'recipe.yaml'), 'utf8')
    assert.equal(published, readFileSync(join(ROOT, 'recipe.yaml'), 'utf8'))
  })

  it('leaves the bill of materials and the terms of other authors beside what devices get', () => {
    assert.deepEqual(readdirSync(join(output, 'documents')).sort(), ['THIRD-PARTY.txt', 'sbom.cdx.json'])
  })

  it('lays out a local deployment as both command lines want it (greengrass 6.1, 6.2)', () => {
    const local = join(output, 'local')
    assert.deepEqual(readdirSync(join(local, 'recipes')), [`${NAME}-${VERSION}.yaml`])
    const files = readdirSync(join(local, 'artifacts', NAME, VERSION))
    assert.deepEqual(files.sort(), readdirSync(artifacts).sort())
    assert.ok(printed.includes(`greengrass-cli deployment create`))
    assert.ok(printed.includes(`--recipeDir ${local}/recipes --artifactDir ${local}/artifacts`))
    assert.ok(printed.includes(`--merge "${NAME}=${VERSION}"`))
    assert.ok(printed.includes(`ggl-cli deploy --recipe-dir ${local}/recipes --artifacts-dir ${local}/artifacts`))
    assert.ok(printed.includes(`--add-component ${NAME}=${VERSION}`))
  })

  it('leaves the local layout below artifacts/ when it is not told where', () => {
    const project = join(folder, 'project')
    mkdirSync(project)
    for (const path of ['package.json', 'package-lock.json', 'recipe.yaml', 'gdk-config.json', 'scripts'])
      cpSync(join(ROOT, path), join(project, path), { recursive: true, preserveTimestamps: true })
    for (const path of ['artifacts', 'component']) mkdirSync(join(project, path))
    for (const file of ['stream-manager.cjs', 'launch.sh', 'stream-manager'])
      cpSync(join(artifacts, file), join(project, 'artifacts', file))
    cpSync(join(output, 'documents'), join(project, 'artifacts'), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules'), join(project, 'node_modules'))
    const script = join(project, 'scripts', 'package-local')
    const commands = execFileSync(script, ['--arch', 'x64'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    const local = join(project, 'artifacts', 'local')
    assert.deepEqual(readdirSync(local).sort(), ['artifacts', 'recipes'])
    assert.deepEqual(readdirSync(join(local, 'recipes')), [`${NAME}-${VERSION}.yaml`])
    const files = ['aws-crt-linux-x64.node', 'launch.sh', 'lmdb-linux-x64.node', 'stream-manager', 'stream-manager.cjs']
    assert.deepEqual(readdirSync(join(local, 'artifacts', NAME, VERSION)).sort(), files)
    for (const folders of [`--recipeDir ${local}/recipes --artifactDir ${local}/artifacts`, `--recipe-dir ${local}/`])
      assert.ok(commands.includes(folders), commands)
    assert.deepEqual(readdirSync(join(project, 'greengrass-build')).sort(), ['artifacts', 'documents', 'recipes'])
  })

  it('makes native parts for the glibc and libstdc++ that are documented (docs/deploying.md)', () => {
    const needed = (file: string, library: string): number[] => {
      const text = readFileSync(join(artifacts, file), 'latin1')
      const versions = [...text.matchAll(new RegExp(`\\b${library}_([\\d.]+)\\0`, 'g'))].map((match) => match[1]!)
      return versions.map((version) =>
        version.split('.').reduce((sum, part, at) => sum + Number(part) / 1_000 ** at, 0)
      )
    }
    for (const file of readdirSync(artifacts).filter((name) => name.endsWith('.node'))) {
      const [glibc, libstdcxx] = [needed(file, 'GLIBC'), needed(file, 'GLIBCXX')]
      assert.ok(glibc.length > 0, file)
      assert.ok(Math.max(...glibc) <= 2.034, `${file} needs glibc ${Math.max(...glibc)}`)
      assert.ok(Math.max(0, ...libstdcxx) <= 3.004029, `${file} needs libstdc++ ${Math.max(...libstdcxx)}`)
    }
  })

  it('makes packages for some architectures only', () => {
    const only = join(folder, 'only')
    const run = runPackage(['--arch', 'armv7', '--output', only])
    assert.equal(run.status, 0, run.stderr)
    const files = readdirSync(join(only, 'artifacts', NAME, VERSION)).sort()
    assert.deepEqual(files, ['launch.sh', 'lmdb-linux-arm.node', 'stream-manager', 'stream-manager.cjs'])
    const recipe = readFileSync(join(only, 'recipes', 'recipe.yaml'), 'utf8')
    assert.deepEqual(recipe.match(/architecture: .*/g), ['architecture: arm'])
    assert.match(told, /for nucleus lite on the device itself: from the cloud its recipe may have \d+ keys/)
    assert.doesNotMatch(run.stderr, /nucleus lite/, 'one architecture is never too much for it')
  })

  const refused: readonly [what: string, args: readonly string[], line: RegExp][] = [
    ['an unknown architecture', ['--arch', 'x64,sparc'], /^scripts\/package: .*architecture "sparc"$/m],
    ['an unknown option', ['--fast'], /^scripts\/package: Unknown option '--fast'/m],
    [
      'a Node.js that is not pinned',
      ['--with-node', '19', '--output', join(folder, 'x')],
      /one of 20, 22, 24, not 19$/m
    ],
    ['a folder with other things in it', ['--output', folder], /^scripts\/package: .* has other things in it/m]
  ]
  for (const [what, args, line] of refused) {
    it(`refuses ${what}`, () => {
      const run = runPackage(args)
      assert.equal(run.status, 1)
      assert.match(run.stderr, line)
      assert.ok(statSync(artifacts).isDirectory())
    })
  }
})

describe('the packaged component', () => {
  for (const nucleus of ['classic', 'lite'] as const) {
    it(`installs, serves, keeps messages and stops as ${nucleus} runs it, unprivileged and from read-only artifacts`, async (t) => {
      const device = createDevice({ packageFolder: output, nucleus, node: process.execPath })
      t.after(() => device.dispose())
      const before = readdirSync(device.artifacts)
      await smoke(device)
      assert.deepEqual(readdirSync(device.artifacts), before)
    })
  }

  it('has no memory images written, which would hold messages and tokens', () => {
    const script = join(folder, 'limits.sh')
    writeFileSync(script, '#!/bin/sh\nulimit -c\n', { mode: 0o755 })
    const launch = join(artifacts, 'launch.sh')
    assert.equal(execFileSync('sh', [launch, 'run', script], { encoding: 'utf8' }), '0\n')
  })

  it('uses the Node.js that nodePath names, and the usual one when the nucleus has no value for it', async (t) => {
    const named = createDevice({ packageFolder: output, nucleus: 'lite', parameters: { nodePath: process.execPath } })
    t.after(() => named.dispose())
    assert.deepEqual(await named.install(), { code: 0, text: '' })
    for (const nodePath of ['{configuration:/nodePath}', 'null']) {
      const parameters = { nodePath }
      const literal = createDevice({ packageFolder: output, nucleus: 'classic', node: process.execPath, parameters })
      t.after(() => literal.dispose())
      assert.deepEqual(await literal.install(), { code: 0, text: '' })
    }
  })

  const addon = `lmdb-linux-${process.arch}.node`
  const foreign = `lmdb-linux-${process.arch === 'arm64' ? 'x64' : 'arm64'}.node`
  /** Says its version, and is a program that has met what it does not know. */
  const old = (version: string) => (path: string) => {
    const script = `#!/bin/sh\ncase "$*" in --version) echo ${version} ;; '-e 0') ;; *) echo SyntaxError; exit 1 ;; esac\n`
    writeFileSync(join(path, 'old-node'), script, { mode: 0o755 })
  }
  const unfit: readonly [what: string, prepare: (path: string) => void, line: RegExp][] = [
    [
      'a missing native part',
      (path) => rmSync(join(path, addon)),
      new RegExp(`${addon} is missing .*: deploy the package for linux`)
    ],
    [
      'a damaged native part',
      (path) => writeFileSync(join(path, addon), 'garbage'),
      new RegExp(`${addon} is damaged .*: deploy the component again`)
    ],
    [
      'a native part for another processor',
      (path) => writeFileSync(join(path, addon), readFileSync(join(artifacts, foreign))),
      new RegExp(`${addon} is damaged or was made for another processor: deploy`)
    ]
  ]
  for (const [what, prepare, line] of unfit) {
    it(`tells ${what} in one line, at installation and at start`, async (t) => {
      const device = createDevice({ packageFolder: output, nucleus: 'classic', node: process.execPath, prepare })
      t.after(() => device.dispose())
      const installed = await device.install()
      assert.equal(installed.code, 1)
      assert.match(installed.text, /^aws\.greengrass\.StreamManager cannot run on this device: [^\n]*\n$/)
      assert.match(installed.text, line)
      const started = await device.startToEnd()
      assert.equal(started.code, 1)
      const errors = started.text.split('\n').filter((text) => text.includes('[ERROR]') || /^\s+at /.test(text))
      assert.equal(errors.length, 1, started.text)
      assert.match(errors[0]!, line)
    })
  }

  it('tells a missing Node.js, and one that is too old, in one line', async (t) => {
    const none = createDevice({ packageFolder: output, nucleus: 'lite' })
    t.after(() => none.dispose())
    const missing = await none.install()
    assert.equal(missing.code, 1)
    assert.match(
      missing.text,
      /^aws\.greengrass\.StreamManager cannot run .*needs Node\.js 20\.15 .*'node' is not there .*nodePath.*\n$/
    )

    const parameters = { nodePath: '../artifacts/old-node' }
    for (const version of ['v8.17.0', 'v18.20.4', 'v20.14.0']) {
      const device = createDevice({ packageFolder: output, nucleus: 'classic', prepare: old(version), parameters })
      t.after(() => device.dispose())
      for (const run of [await device.install(), await device.startToEnd()]) {
        assert.equal(run.code, 1)
        assert.match(run.text, /^aws\.greengrass\.StreamManager cannot run .*Node\.js 20\.15 .*; set nodePath.*\n$/)
        assert.ok(run.text.includes(`'../artifacts/old-node' is ${version};`))
      }
    }
  })

  it('tells a Node.js that is too old for its commands in one line', () => {
    const node = join(folder, 'old-node')
    old('v18.20.4')(folder)
    const env = { PATH: process.env['PATH'], STREAM_MANAGER_NODE: node }
    const run = spawnSync('sh', [join(artifacts, 'stream-manager'), 'list'], { env, encoding: 'utf8' })
    assert.equal(run.status, 2)
    assert.equal(run.stdout, '')
    const told = `'${node}' is v18.20.4; set STREAM_MANAGER_NODE to the full path of a later one`
    assert.equal(run.stderr, `stream-manager: it needs Node.js 20.15 or later, and ${told}\n`)
  })
})

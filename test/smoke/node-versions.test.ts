import assert from 'node:assert/strict'
import { chmodSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { HOST_ARCHITECTURE } from '../../scripts/architectures.ts'
import { collectNode } from '../../scripts/native-parts.ts'
import { createDevice, openFolder, runPackage } from '../helpers/device.ts'
import { smoke } from '../helpers/smoke.ts'

/** The package under every version of Node.js that it may be shipped with; each is fetched once, about 50 MB. */

const ROOT = join(import.meta.dirname, '..', '..')
const folder = openFolder('stream-manager-smoke-')
const plain = join(folder, 'plain')
assert.ok(HOST_ARCHITECTURE !== undefined, 'there are packages for this machine')
const host = HOST_ARCHITECTURE

before(() => {
  const run = runPackage(['--arch', host.name, '--output', plain])
  assert.equal(run.status, 0, run.stderr)
})
after(() => rmSync(folder, { recursive: true }))

for (const major of ['20', '22', '24']) {
  describe(`Node.js ${major}`, () => {
    it('runs the package where it is installed', async (t) => {
      const output = join(folder, `node-${major}`)
      const file = collectNode(major, host, { root: ROOT, output, note: () => undefined })
      assert.ok(file !== undefined)
      chmodSync(output, 0o755)
      const device = createDevice({ packageFolder: plain, nucleus: 'classic', node: join(output, file) })
      t.after(() => device.dispose())
      assert.match(await smoke(device), new RegExp(`\\bnode=v${major}\\.`))
    })
  })
}

describe('a package with Node.js', () => {
  const packaged = join(folder, 'with-node')
  before(() => {
    const run = runPackage(['--arch', host.name, '--with-node', '22', '--output', packaged])
    assert.equal(run.status, 0, run.stderr)
  })

  for (const nucleus of ['classic', 'lite'] as const) {
    it(`needs none on the device, under ${nucleus}`, async (t) => {
      const device = createDevice({ packageFolder: packaged, nucleus })
      t.after(() => device.dispose())
      assert.match(await smoke(device), /\bnode=v22\./)
    })
  }

  it('says so when its Node.js may not be executed', async (t) => {
    const file = `node-linux-${host.nodeArch}`
    const device = createDevice({
      packageFolder: packaged,
      nucleus: 'classic',
      prepare: (artifacts) => chmodSync(join(artifacts, file), 0o644)
    })
    t.after(() => device.dispose())
    const { code, text } = await device.install()
    assert.equal(code, 1)
    assert.match(text, /^aws\.greengrass\.StreamManager cannot run .*node-linux-\w+ may not be executed by .*\n$/)
  })
})

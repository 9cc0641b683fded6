import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { breakAll, openBrokenWorld, WITHOUT_CREDENTIALS } from '../helpers/broken-setups.ts'
import { openBrowser, type Browser, type BrowserPage, type Look } from '../helpers/chromium.ts'
import { openHttpEndpoint, type HttpEndpoint } from '../helpers/http-endpoint.ts'
import { freePort, startMonitored, type MonitoredServer } from '../helpers/monitored-server.ts'
import { OP, WireClient, type WireMap } from '../helpers/wire-client.ts'

/** The page of the built server in a real browser. What it looks like is left in artifacts/page/ for people to look at. */

const PICTURES = join(import.meta.dirname, '..', '..', 'artifacts', 'page')
const DESKTOP: Look = { width: 1280, height: 900 }
const PHONE: Look = { width: 390, height: 844 }

/** Starts a server with its page. */
async function startWithPage(
  environment: Readonly<Record<string, string>> = {}
): Promise<MonitoredServer & { url: string }> {
  const server = await startMonitored({ environment })
  return { ...server, url: `http://127.0.0.1:${server.monitorPort}/` }
}

const httpExport = (identifier: string, port: number, changes: WireMap = {}): WireMap => ({
  http: [{ identifier, uri: `http://127.0.0.1:${port}/`, exportFormat: 1, ...changes }]
})

/** Five streams: one exports, one fails, one is behind, one skips, one has no export. */
async function fill(server: MonitoredServer, endpoint: HttpEndpoint, deadPort: number): Promise<WireClient> {
  const client = await WireClient.connect({ port: server.port })
  const create = async (name: string, exportDefinition: WireMap = {}): Promise<void> => {
    const definition = {
      name,
      maxSize: 1_048_576,
      streamSegmentSize: 65_536,
      strategyOnFull: 1,
      persistence: 0,
      exportDefinition
    }
    const { map } = await client.request(OP.createMessageStream, { definition })
    assert.equal(map['status'], 0, JSON.stringify(map))
  }
  await create('sensor', httpExport('cloud', endpoint.port))
  await create('vibration', httpExport('plant', deadPort))
  await create('camera', { kinesis: [{ identifier: 'lake', kinesisStreamName: 'video', batchInterval: 60_000 }] })
  await create('properties', { iotSitewise: [{ identifier: 'sitewise' }] })
  await create('journal')
  return client
}

/** What the list of what needs attention shows, as far as it can be read without a click or a wider screen. */
const ITEMS = `[...document.querySelectorAll('main > :not(#detail) .problems > li')]
  .filter((item) => item.checkVisibility({ opacityProperty: true, visibilityProperty: true }))
  .filter((item) => item.scrollWidth <= item.clientWidth && item.getBoundingClientRect().right <= innerWidth)
  .map((item) => ({
    title: item.querySelector('h3').innerText,
    text: item.innerText,
    remedy: item.querySelector('.remedy').innerText
  }))`

async function append(client: WireClient, name: string, payload: string): Promise<void> {
  await client.request(OP.appendMessage, { name, payload: Buffer.from(payload) })
}

describe('the page in a browser', () => {
  let browser: Browser
  before(() => {
    mkdirSync(PICTURES, { recursive: true })
    browser = openBrowser()
  })
  after(() => browser.close())

  const noComplaints = (page: BrowserPage, url: string): void => {
    assert.deepEqual(page.complaints, [])
    assert.deepEqual(
      page.requests.filter((address) => !address.startsWith(url)),
      []
    )
  }

  it('says that a new server has no streams, and asks nobody else for anything', async (t) => {
    const server = await startWithPage()
    t.after(() => server.dispose())
    const page = await browser.open(server.url, DESKTOP)
    await page.until("document.body.innerText.includes('There are no streams')")
    await page.screenshot(join(PICTURES, 'empty.png'))
    assert.match(await page.evaluate<string>('document.body.innerText'), /All is well/)
    noComplaints(page, server.url)
  })

  it('tells cause and remedy of every broken setup in the list of what needs attention', async (t) => {
    for (const { environment, setups } of [await openBrokenWorld(t), WITHOUT_CREDENTIALS]) {
      const server = await startWithPage(environment)
      t.after(() => server.dispose())
      const client = await WireClient.connect({ port: server.port })
      t.after(() => void client.socket.destroy())
      await breakAll(client, setups)
      const page = await browser.open(server.url, DESKTOP)
      for (const look of [DESKTOP, PHONE]) {
        await page.look(look)
        for (const { name, cause, remedy } of setups)
          await page.until(
            `${ITEMS}.some((item) => item.title.split(' ').includes('${name}') && ${String(cause)}.test(item.text) && ${String(remedy)}.test(item.remedy))`
          )
        const isFirst =
          "document.querySelector('.problems').compareDocumentPosition(document.querySelector('#streams'))"
        assert.equal(await page.evaluate<number>(isFirst), 4, 'before the streams')
        assert.ok((await page.evaluate<number>('document.documentElement.scrollWidth')) <= look.width)
        const size = look === PHONE ? 'phone' : 'desktop'
        if (setups.length > 1) await page.screenshot(join(PICTURES, `broken-${size}.png`))
      }
      noComplaints(page, server.url)
    }
  })

  describe('with five streams', () => {
    let server: MonitoredServer & { url: string }
    let endpoint: HttpEndpoint
    let client: WireClient
    let page: BrowserPage
    let feeding: NodeJS.Timeout

    before(async () => {
      endpoint = await openHttpEndpoint()
      server = await startWithPage({ STREAM_MANAGER_MONITOR_MESSAGES: 'true' })
      client = await fill(server, endpoint, await freePort())
      let count = 0
      feeding = setInterval(() => {
        count += 1
        for (const name of ['sensor', 'vibration', 'journal'])
          void append(client, name, `{"value":${count},"text":"<b>bold</b>"}`).catch(() => undefined)
      }, 50)
      page = await browser.open(server.url, DESKTOP)
      await page.until("document.body.innerText.includes('Export plant of vibration fails')")
    })

    after(async () => {
      clearInterval(feeding)
      client.socket.destroy()
      await server.dispose()
      await endpoint.close()
    })

    it('shows cause and remedy of the failing export on the first screen, also of a phone', async () => {
      for (const look of [DESKTOP, PHONE]) {
        await page.look(look)
        const bottom = `document.querySelector('.problem .remedy').getBoundingClientRect().bottom`
        assert.ok((await page.evaluate<number>(bottom)) <= look.height)
        assert.ok(
          (await page.evaluate<number>('document.documentElement.scrollWidth')) <= look.width,
          'nothing sticks out'
        )
      }
      const problem = await page.evaluate<string>("document.querySelector('.problem').innerText")
      assert.match(problem, /cannot be reached[\s\S]*ECONNREFUSED[\s\S]*What to do: Check network/)
    })

    it('is told to screen readers', async () => {
      await page.look(DESKTOP)
      await page.until("document.querySelectorAll('.chart path.line[d*=L]').length >= 5")
      const nodes = await page.accessibleNodes()
      const named = (role: string): string[] => nodes.filter((node) => node.role === role).map(({ name }) => name)
      assert.ok(named('table').includes('Streams') && named('table').includes('Exports'))
      assert.ok(named('columnheader').includes('Fill level'))
      assert.ok(
        named('image').some((name) => /^Messages that wait for export plant of vibration.*It is failing/.test(name))
      )
      assert.deepEqual(
        nodes.filter(({ role, name }) => ['link', 'button', 'image'].includes(role) && name === ''),
        []
      )
    })

    it('can be used with the keyboard alone', async () => {
      await page.evaluate("document.querySelector('#streams').scrollIntoView()")
      await page.evaluate("document.querySelector('table a[href*=journal]').focus()")
      await page.press('Enter')
      await page.until("document.activeElement.id === 'detail'")
      for (let tabs = 0; tabs < 9; tabs += 1) {
        if (await page.evaluate<boolean>("document.activeElement.dataset.action === 'messages'")) break
        await page.press('Tab')
      }
      await page.press('Enter')
      await page.until("document.querySelector('.messages pre')")
      // What looks like markup is text.
      assert.match(await page.evaluate<string>("document.querySelector('.messages pre').innerText"), /<b>bold<\/b>/)
      assert.equal(await page.evaluate<number>("document.querySelectorAll('.messages b').length"), 0)
      await page.press('Tab')
      await page.press('Tab')
      await page.press(' ')
      await page.until("document.querySelector('.messages pre').innerText.includes('\\n  \"value\"')")
    })

    it('looks right', async () => {
      await page.screenshot(join(PICTURES, 'detail.png'), true)
      await page.evaluate("location.hash = ''")
      await page.until("!document.getElementById('detail')")
      await page.screenshot(join(PICTURES, 'light.png'), true)
      await page.look({ ...DESKTOP, isDark: true })
      await page.screenshot(join(PICTURES, 'dark.png'), true)
      await page.look(PHONE)
      await page.screenshot(join(PICTURES, 'phone.png'), true)
      noComplaints(page, server.url)
    })

    it('says so when the server goes away, and holds still when asked to', async () => {
      await page.look(DESKTOP)
      await server.kill('SIGKILL')
      await page.until("document.body.innerText.includes('No answer from the server')")
      await page.screenshot(join(PICTURES, 'silent.png'))
      await page.evaluate("document.querySelector('[data-action=pause]').click()")
      await page.until("!document.body.innerText.includes('No answer from the server')")
      assert.equal(await page.evaluate<string>("document.querySelector('[data-action=pause]').ariaPressed"), 'true')
    })
  })
})

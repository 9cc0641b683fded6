import type http from 'node:http'

/** What Node.js hands to an agent with each request; its types leave it out. */
interface RequestTaker {
  addRequest(request: http.ClientRequest, ...rest: readonly unknown[]): void
}

/** The answer speaks another protocol from here on, which nobody has asked for. */
class UpgradeError extends Error {
  override readonly name = 'UpgradeError'
}

/**
 * Has requests over this agent fail that are answered with a change of protocol: without a listener such a request ends
 * with neither an answer nor an error, and the client would wait for its time-out, or for ever where a body has none.
 * @returns the same agent
 */
export function failUpgrades<Agent extends http.Agent>(agent: Agent): Agent {
  const taker: object = agent
  if (isRequestTaker(taker)) {
    const addRequest = taker.addRequest.bind(taker)
    taker.addRequest = (request, ...rest) => {
      request.on('upgrade', (_answer, socket) => {
        socket.destroy()
        request.emit('error', new UpgradeError('the answer changes the protocol'))
      })
      addRequest(request, ...rest)
    }
  }
  return agent
}

function isRequestTaker(agent: object): agent is RequestTaker {
  return 'addRequest' in agent && typeof agent.addRequest === 'function'
}

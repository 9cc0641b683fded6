export { createAnswerMemory } from './answer-memory.ts'
export { admitEveryone, type Authenticate } from './handshake.ts'
export { listen, type Listener } from './listener.ts'

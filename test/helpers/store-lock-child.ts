/** Takes the lock of the store given as argument, says so, and keeps it until its input ends. */
import { acquireStoreLock } from '../../component/store/store-lock.ts'

const lock = await acquireStoreLock(process.argv[2] ?? '')
process.stdout.write('locked\n')
process.stdin.on('end', () => {
  void lock.release()
})
process.stdin.resume()

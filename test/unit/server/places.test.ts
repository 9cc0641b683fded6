import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPlaces, type Guest, type Places, type Standing } from '../../../component/server/places.ts'

interface Recorded extends Guest {
  standing: Standing
  isCut: boolean
}

function enter(places: Places, standing: Standing = 'silent'): Recorded {
  const guest: Recorded = {
    standing: 'silent',
    isCut: false,
    refuse() {
      assert.equal(guest.standing, 'silent', 'only who says nothing is refused')
      guest.standing = 'refused'
    },
    cut() {
      assert.equal(guest.standing, 'refused', 'only who was refused is cut')
      guest.isCut = true
    }
  }
  places.enter(guest)
  if (guest.standing === 'silent') guest.standing = standing
  return guest
}

const standings = (guests: readonly Recorded[]): Standing[] => guests.map(({ standing }) => standing)

test('the oldest that says nothing gives its place to whoever comes', () => {
  const places = createPlaces(3, 10)
  const guests = [enter(places, 'admitted'), enter(places), enter(places)]
  guests.push(enter(places))
  assert.deepEqual(standings(guests), ['admitted', 'refused', 'silent', 'silent'])
  guests.push(enter(places, 'admitted'))
  assert.deepEqual(standings(guests), ['admitted', 'refused', 'refused', 'silent', 'admitted'])
})

test('whoever is admitted, or being judged, keeps its place: the one who comes is refused', () => {
  const places = createPlaces(2, 10)
  const guests = [enter(places, 'admitted'), enter(places, 'being judged'), enter(places)]
  assert.deepEqual(standings(guests), ['admitted', 'being judged', 'refused'])
})

test('a place is free again when somebody leaves', () => {
  const places = createPlaces(1, 10)
  const first = enter(places, 'admitted')
  places.leave(first)
  assert.equal(enter(places, 'admitted').standing, 'admitted')
  assert.equal(enter(places).standing, 'refused')
})

test('whoever was refused takes no place from others, and is cut when too many of them stay', () => {
  const places = createPlaces(1, 2)
  const gone = enter(places)
  gone.standing = 'refused'
  assert.equal(enter(places, 'admitted').standing, 'admitted')
  const refused = [enter(places), enter(places)]
  assert.deepEqual(standings(refused), ['refused', 'refused'])
  assert.deepEqual(
    [gone, ...refused].map(({ isCut }) => isCut),
    [true, false, false]
  )
  enter(places)
  assert.deepEqual(
    refused.map(({ isCut }) => isCut),
    [true, false]
  )
})

test('a flood of silent ones keeps nobody out, and holds a bounded number of connections', () => {
  const places = createPlaces(20, 5)
  const flood: Recorded[] = []
  for (let round = 0; round < 10; round += 1) {
    for (let count = 0; count < 100; count += 1) flood.push(enter(places))
    assert.equal(enter(places, 'admitted').standing, 'admitted')
  }
  assert.ok(flood.filter(({ isCut }) => !isCut).length <= 25)
})

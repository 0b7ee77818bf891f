#!/usr/bin/env node
// estimate: what a list of items costs, a worker in Node.js (../processes.md has the contract).
//
//   {"items": [{"price": 2.5, "count": 4}, ...], "discount": 0.1}   ->   {"total": 9}
//
// Run it with AMQP_URL set, after `npm install`. Several may run; each takes one call at a time.

import amqplib from 'amqplib';

const QUEUE = 'process.estimate';

function estimate(args) {
  const items = args?.items;
  const isItem = (item) => Number.isFinite(item?.price) && Number.isInteger(item?.count);
  if (!Array.isArray(items) || !items.every(isItem)) {
    throw new Error('expected {"items": [{"price": number, "count": integer}]}');
  }
  const discount = args.discount ?? 0;
  if (!Number.isFinite(discount)) {
    throw new Error('discount: expected a number');
  }
  const sum = items.reduce((total, item) => total + item.price * item.count, 0);
  return { total: sum * (1 - discount) };
}

const connection = await amqplib.connect(process.env.AMQP_URL, {
  clientProperties: { connection_name: 'worker of estimate' },
});
const channel = await connection.createConfirmChannel();

async function reply(call, type, value) {
  const { replyTo, correlationId } = call.properties;
  channel.sendToQueue(replyTo, Buffer.from(JSON.stringify(value)), {
    type, correlationId, contentType: 'application/json', persistent: true,
  });
  await channel.waitForConfirms();
}

async function answer(call) {
  try {
    await reply(call, 'reply', estimate(JSON.parse(call.content)));
  } catch (error) {
    await reply(call, 'error', { message: error.message });
  }
  channel.ack(call); // only now: a call whose worker dies is given to the next one
}

await channel.prefetch(1);
await channel.checkQueue(QUEUE); // the agents have made it
await channel.consume(QUEUE, (call) => call && answer(call));

// Asks a router for what is no text, by the official client library: the server behind it answers
// each with the same JSON.
// usage: node openai_media.mjs BASE_URL MODEL
import assert from 'node:assert/strict';
import OpenAI, { toFile } from 'openai';

const [baseURL, model] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: 'none', maxRetries: 0, timeout: 60_000 });
const sound = Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * 31) % 256));

const file = await toFile(sound, 'a "b".wav', { type: 'audio/wav' });
assert.equal((await client.audio.transcriptions.create({ file, model, language: 'en' })).text, 'far');
assert.equal((await client.audio.translations.create({ file, model })).text, 'far');
const speech = await client.audio.speech.create({ model, voice: 'alloy', input: 'Hi' });
assert.equal(JSON.parse(Buffer.from(await speech.arrayBuffer()).toString()).text, 'far');
assert.equal((await client.images.generate({ model, prompt: 'a fox' })).text, 'far');

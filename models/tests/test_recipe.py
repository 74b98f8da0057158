"""Properties of the recipe that a training run would not notice until it is over."""

import json
import random
import re
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import numpy as np
import torch

from recipe import augment, batches, clips, decode, evaluate, export, features, grammar, longform, muon, noise, phonemes
from recipe.network import PHONEME_BLOCK, Trainee, build
from recipe.tokenizer import Tokenizer, save, special_tokens, train

HERE = Path(__file__).parent.parent


class Grammar(unittest.TestCase):
    def test_is_reproducible(self):
        first, second = ([grammar.sentence(random.Random(7)) for _ in range(3)] for _ in range(2))
        self.assertEqual(first, second)

    def test_says_only_known_words(self):
        rng, known = random.Random(1), {"en": set(grammar.ENGLISH_WORDS), "fr": set(grammar.FRENCH_WORDS)}
        for _ in range(3000):
            spoken = grammar.sentence(rng)
            for word in spoken.text.split():
                if spoken.language == "en":
                    self.assertIn(word, known["en"], spoken.text)
                self.assertTrue(re.fullmatch(r"[a-zàâçéèêëîïôûùüÿœ']+", word), word)

    def test_phrases_are_never_held_out(self):
        rng = random.Random(2)
        for _ in range(5000):
            spoken = grammar.sentence(rng)
            if spoken.kind in ("phrase", "collocation"):
                self.assertFalse(spoken.is_held_out)

    def test_articles_agree_in_the_templates(self):
        rng = random.Random(3)
        for _ in range(3000):
            spoken = grammar.sentence(rng)
            if spoken.language == "en" and spoken.kind == "template":
                self.assertIsNone(re.search(r"\ba [aeio]", spoken.text), spoken.text)


class Features(unittest.TestCase):
    def test_agree_with_whisper(self):
        import whisper.audio
        samples = np.random.default_rng(0).standard_normal(16_000).astype(np.float32) * 0.1
        ours = features.whisper_scale(features.log_mel_power(samples)[None])[0].T
        theirs = whisper.audio.log_mel_spectrogram(torch.from_numpy(samples))
        self.assertLess((ours - theirs).abs().max().item(), 1e-5)

    def test_a_window_is_padded_as_whisper_does_it_behind_the_samples_and_behind_the_log_mel(self):
        from whisper.audio import log_mel_spectrogram, pad_or_trim
        rng = np.random.default_rng(1)
        for count in (4000, 16_037, 159_990, 160_000, 175_000):
            samples = (rng.standard_normal(count) * 0.1).astype(np.float32)
            of_sound = log_mel_spectrogram(pad_or_trim(samples, 160_000))
            self.assertLess((features.model_input(samples, 500) - of_sound).abs().max().item(), 1e-5)
            within = samples[:160_000]
            of_mel = log_mel_spectrogram(within, padding=160_000)[:, :len(within) // 160]
            found = features.model_input(samples, 500, "mel")
            self.assertLess((found - pad_or_trim(of_mel, 1000)).abs().max().item(), 1e-5)

    def test_resampling_keeps_a_tone(self):
        tone = np.sin(2 * np.pi * 440 * np.arange(8000) / 8000).astype(np.float32)
        expected = np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
        resampled = features.resample(tone, 16_000, 8000)
        self.assertEqual(len(resampled), 16_000)
        self.assertLess(np.abs(resampled - expected)[200:-200].max(), 0.01)

    def test_mel_frequencies_are_those_of_the_filters(self):
        import whisper.audio
        filters = whisper.audio.mel_filters("cpu", 80).numpy()
        peaks = filters.argmax(1) * 16_000 / 400
        self.assertLess(np.abs(peaks - augment.mel_frequencies())[20:].max(), 41)


class Augmentation(unittest.TestCase):
    def test_keeps_shape_and_range(self):
        augmenter = augment.Augmenter(random.Random(0), noise.bank(0, 8, seconds=1.2))
        for strength in (0.0, 1.0):
            ends = [160 * frame for frame in (90, 80, 70, 60)]
            inputs = augmenter(torch.randn(4, 96 * 160) * 0.1, [True, True, False, True], ends, strength, [False] * 4)
            self.assertEqual(inputs.shape, (4, 80, 96))
            self.assertTrue(torch.isfinite(inputs).all())
            spread = inputs.amax((1, 2)) - inputs.amin((1, 2))
            self.assertLessEqual(spread.max().item(), 2.0 + 1e-5)

    def test_noise_lies_under_the_silence_before_a_late_clip_as_well(self):
        samples, before = torch.zeros(1, 240 * 160), []
        samples[:, 200 * 160:] = torch.randn(1, 40 * 160) * 0.1
        for seed in range(30):
            augmenter = augment.Augmenter(random.Random(seed), noise.bank(0, 8, seconds=1.2))
            heard = samples.clone()
            augmenter._add_noise(heard, [True], [240 * 160], 1.0)
            before.append([heard[0, second * 16_000:(second + 1) * 16_000].square().mean().item() > 0 for second in (0, 1)])
        self.assertTrue(all(first == second for first, second in before))
        self.assertTrue(5 < sum(first for first, _ in before) < 29, before)

    def test_identity_warp_reads_every_band_where_it_is(self):
        self.assertTrue(torch.allclose(augment._warp_matrix(1.0, 0), torch.eye(80), atol=1e-6))


class Batches(unittest.TestCase):
    """What training hears is openai-whisper's log-mel of the same samples, and what it is told lies where the sounds are."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        folder = Path(cls.folder.name)
        save(train(count=700, sentences=2000), folder)
        rng, records, audio, labels, at, frame = np.random.default_rng(0), [], [], [], 0, 0
        cls.texts = ["the red cat", "the cat", "the dog and the cat"]
        for number, text in enumerate(cls.texts):
            count = (11_111, 6_400, 48_003)[number]  # they stop in the middle of a sound
            frames, words = -(-count // 320), text.split()
            edges = np.linspace(0.08, count / 16_000, len(words) + 1)
            records.append({"text": text, "language": "en", "kind": "template", "voice": "v", "labels": [frame, frames],
                            "audio": [at, count], "phonemes": [],
                            "words": [[edges[i], edges[i + 1], i, i] for i in range(len(words))]})
            audio.append((rng.standard_normal(count) * 3000).astype(np.int16))
            labels.append(np.where(np.arange(frames) < 4, 0, 1 + number).astype(np.uint8))
            at, frame = at + count, frame + frames
        np.save(folder / "train-0000.audio.npy", np.concatenate(audio))
        np.save(folder / "train-0000.labels.npy", np.concatenate(labels))
        (folder / "train-0000.json").write_text(json.dumps(records))
        cls.pool = batches.Pool(folder, Tokenizer(folder))
        cls.pool.refresh()

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def batcher(self, seed=0):
        rng = random.Random(seed)
        return batches.Batcher(self.pool, augment.Augmenter(rng, noise.bank(0, 8, seconds=1.2)), rng, 300)

    def whole(self, *places):
        return batches.Item([batches.Part(number, at, 0, self.pool.examples[number].frames) for number, at in places])

    def heard(self, item, **options):
        return self.batcher().batch([item], 0.0, no_speech=0, silent_text=0, **options)

    def test_a_batch_is_whispers_log_mel_of_its_samples_and_the_zeros_around_them(self):
        from whisper.audio import log_mel_spectrogram, pad_or_trim
        for places in ([(0, 0)], [(1, 7)], [(0, 3), (2, 60), (1, 230)]):
            item = self.whole(*places)
            samples = np.zeros(item.frames * 320, np.float32)
            for number, at in places:
                sound = self.pool.samples(self.pool.examples[number]).numpy()
                samples[at * 320:at * 320 + len(sound)] += sound
            by_sound = log_mel_spectrogram(pad_or_trim(samples, 160_000))
            by_mel = pad_or_trim(log_mel_spectrogram(samples, padding=160_000)[:, :2 * item.frames], 1000)
            seen = set()
            for seed in range(20):
                batch = self.batcher(seed).batch([item], 0.0, full=seed % 2 == 0, timestamps=0, no_speech=0, silent_text=0)
                frames = batch.mel.shape[-1]
                differences = [(batch.mel[0] - expected[:, :frames]).abs().max().item() for expected in (by_sound, by_mel)]
                self.assertLess(min(differences), 1e-5)
                self.assertEqual(batch.labels.shape[1] * 2, frames)
                seen.add(differences[0] < differences[1])
            self.assertEqual(seen, {True, False})

    def test_labels_words_and_timestamps_lie_where_the_clips_were_put(self):
        item, tokenizer = self.whole((0, 3), (2, 60)), self.pool.tokenizer
        batch = self.heard(item, timestamps=0.0)
        self.assertEqual(batch.labels[0, 3:38].tolist(), [0] * 4 + [1] * 31)
        self.assertEqual(batch.labels[0, 60:211].tolist(), [0] * 4 + [3] * 147)
        self.assertEqual(batch.labels[0, 38:60].sum() + batch.labels[0, 211:].sum(), 0)
        spoken = [frames.nonzero()[[0, -1], 0].tolist() for frames in batch.word_frames[0] if frames.any()]
        self.assertEqual((spoken[0][0], spoken[-1][1]), (3 + 4 - 3, 60 + 150 + 3))
        timed = self.heard(item, timestamps=1.0).targets[0]
        stamps = [(token - tokenizer.first_timestamp) * 2 for token in timed.tolist() if token >= tokenizer.first_timestamp]
        self.assertEqual(stamps, [14, 76, 128, 422])  # hundredths: first and past the last frame with a sound

    def test_a_clip_cut_by_the_window_is_begun_with_timestamps_and_written_as_far_as_it_goes_without(self):
        item, tokenizer = self.whole((2, 0), (2, 200), (2, 420)), self.pool.tokenizer
        item.parts[-1].past, item.cut = 80, True
        timed = [t for t in self.heard(item, timestamps=1.0).targets[0].tolist() if t >= 0]
        self.assertEqual(timed[-2:], [tokenizer.timestamp(8.48), tokenizer.end])
        untimed = self.heard(item, timestamps=0.0)
        written = tokenizer.decode([t for t in untimed.targets[0].tolist() if 0 <= t < tokenizer.end])
        self.assertEqual(written.split(), (self.texts[2] + " " + self.texts[2] + " the dog").split())
        self.assertEqual(untimed.mel.shape[-1], 1000)

    def test_plans_stay_within_the_window_and_the_text_context(self):
        batcher = self.batcher(5)
        sizes = set()
        for _ in range(40):
            for items in batcher.plan(3, join_share=0.8):
                batch = batcher.batch(items, 0.8, timestamps=0.4, no_speech=0.1, silent_text=0.1)
                self.assertLessEqual(batch.tokens.shape[1], batches.TEXT_CONTEXT)
                self.assertLessEqual(max(item.frames for item in items), batches.CONTEXT)
                self.assertTrue(torch.isfinite(batch.mel).all())
                self.assertTrue((batch.targets >= 0).any(1).all())
                sizes.update(len(item.parts) for item in items)
        self.assertTrue(sizes >= {1, 2, 3}, sizes)

    def test_single_clips_begin_anywhere_that_the_window_holds_them(self):
        batcher, onsets = self.batcher(3), []
        for _ in range(300):
            for items in batcher.plan(3):
                onsets += [item.parts[0].at for item in items]
                self.assertLessEqual(max(item.frames for item in items), batches.CONTEXT)
        late = sum(onset > 30 for onset in onsets) / len(onsets)
        self.assertTrue(0.22 < late < 0.33, late)
        self.assertGreater(max(onsets), 370)
        self.assertLessEqual(max(onsets), batches.LATEST_ONSET)

    def test_a_clip_as_long_as_the_window_or_longer_begins_with_it(self):
        batcher = self.batcher()
        for joined in (False, True):
            self.assertEqual({batcher._onset(length, joined) for length in (500, 501, 900) for _ in range(50)}, {0})
            self.assertLessEqual(max(batcher._onset(480, joined) for _ in range(300)), 20)

    def test_clips_in_a_row_are_now_and_then_seconds_apart(self):
        gaps = [self.batcher(seed)._gap() for seed in range(1000)]
        self.assertTrue(0.1 < sum(gap > 40 for gap in gaps) / 1000 < 0.2)
        self.assertTrue(140 < max(gaps) <= batches.LONGEST_GAP and min(gaps) == 0)

    def test_a_late_clips_first_timestamp_is_its_own_or_the_latest_that_decoding_allows(self):
        item, tokenizer, seen = self.whole((0, 200), (1, 300)), self.pool.tokenizer, set()
        for seed in range(30):
            batch = self.batcher(seed).batch([item], 0.0, timestamps=1.0, no_speech=0, silent_text=0)
            stamps = [(token - tokenizer.first_timestamp) * 2 for token in batch.targets[0].tolist()
                      if token >= tokenizer.first_timestamp]
            seen.add(stamps[0])
            self.assertEqual(stamps[1:], [470, 608, 640])
        self.assertEqual(seen, {100, 408})

    def recordings(self, seeds):
        """Recordings in which nothing goes astray: of each its texts in a row and its windows."""
        for seed in seeds:
            batcher, said = self.batcher(seed), []
            part = batcher._part
            batcher._part = lambda index, at=0: said.append(self.texts[index]) or part(index, at)
            batcher._misplaced, batcher._misheard = lambda end: end, lambda tokens, language: list(tokens)
            with mock.patch.object(batches, "ASTRAY", 0):
                items = batcher._recording(seed % 3)
            yield batcher, " ".join(said).split(), items

    def test_windows_of_a_recording_have_each_sentence_once_and_the_cut_ones_when_they_come_whole(self):
        tokenizer = self.pool.tokenizer
        for batcher, said, items in self.recordings(range(12)):
            written = []
            for item in items:
                body, _, _ = batcher._body(item, True, strict=True)
                stamps = [token >= tokenizer.first_timestamp for token in body]
                self.assertLessEqual(len(body), batches.MOST_WRITTEN)
                self.assertTrue(not body or stamps[0] and stamps[-1])
                written += body
                self.assertLessEqual(len(item.prompt), batches.LONGEST_PROMPT)
            self.assertEqual(tokenizer.decode(written).split(), said)

    def test_windows_of_a_recording_become_batches(self):
        batcher, tokenizer, prompted = self.batcher(4), self.pool.tokenizer, 0
        for _ in range(6):
            for items in batcher.plan(3, recording_share=1.0):
                batch = batcher.batch(items, 0.8, timestamps=0.4, no_speech=0.1, silent_text=0.1)
                self.assertLessEqual(batch.tokens.shape[1], batches.TEXT_CONTEXT)
                self.assertTrue(torch.isfinite(batch.mel).all())
                self.assertTrue((batch.targets >= 0).any(1).all())
                prompted += (batch.tokens[:, 0] == tokenizer.previous).sum().item()
        self.assertGreater(prompted, 10)

    def test_words_before_a_window_are_not_written_and_what_was_said_before_it_is_not_said_again(self):
        batcher, tokenizer = self.batcher(), self.pool.tokenizer
        placed = [batches.Part(2, 0, 0, 150), batches.Part(1, 170, 0, 20)]
        spans = self.pool.examples[2].spans
        inside = spans[2][2] + 6  # within the third of five words
        for written, expected in ((0, "the cat the cat"), (1, "the cat")):
            item = batcher._window(placed, inside, 195, written, "en")
            body, _, count = batcher._body(item, True, strict=True)
            self.assertEqual((tokenizer.decode(body).split(), count), (expected.split(), 2))
        whole = batcher._window(placed, inside, 195, 0, "en")
        self.assertEqual(batcher._body(whole, True)[0][0], tokenizer.timestamp((spans[3][2] - inside) * 0.02))

    def test_a_single_sentence_that_is_cut_is_written_to_its_last_whole_word_and_ended_there(self):
        batcher, tokenizer = self.batcher(), self.pool.tokenizer
        with mock.patch.object(batches, "CONTEXT", 100):
            item = batcher._window([batches.Part(2, 0, 0, 150)], 0, 150, 0, "en")
        body, _, count = batcher._body(item, True, strict=True)
        self.assertEqual((tokenizer.decode(body).split(), count, body[-1]), ("the dog and".split(), 0, body[-2]))

    def test_half_of_the_texts_without_sound_are_fixed_phrases_as_long_as_what_they_replace(self):
        seen = {True: 0, False: 0}
        with mock.patch.object(self.pool, "fixed", [1]):
            for seed in range(60):
                batch = self.batcher(seed).batch([self.whole((2, 0))], 0.0, no_speech=0, silent_text=1)
                texts = self.pool.tokenizer.decode([token for token in batch.tokens[0].tolist() if token < self.pool.tokenizer.end])
                seen[texts.strip() == self.texts[1]] += 1
                self.assertGreaterEqual(batch.labels.shape[1], 150)
                self.assertEqual(batch.labels.abs().sum(), 0)
        self.assertTrue(18 < seen[True] < 42 and seen[False] == 60 - seen[True], seen)
        self.assertEqual(self.pool.fixed, [])  # "template" is none

    def test_prompts_precede_and_have_no_loss(self):
        batcher, tokenizer, found = self.batcher(), self.pool.tokenizer, 0
        for _ in range(40):
            batch = batcher.batch([self.whole((0, 0))], 0.0, timestamps=1.0, no_speech=0, silent_text=0)
            tokens, targets = batch.tokens[0].tolist(), batch.targets[0].tolist()
            start = tokens.index(tokenizer.start)
            self.assertEqual(set(targets[:start]), {-100} if start else set())
            self.assertEqual(targets[start], tokenizer.language("en"))
            self.assertLessEqual(start, batches.LONGEST_PROMPT + 1)
            found += tokens[0] == tokenizer.previous
        self.assertTrue(0 < found < 40, found)


class Optimiser(unittest.TestCase):
    def test_wide_and_square_matrices_become_near_orthogonal(self):
        for shape in ((3, 32, 32), (3, 32, 128)):
            values = torch.linalg.svdvals(muon.orthogonalise(torch.randn(*shape), iterations=8))
            self.assertLess(values.max().item(), 1.35)
            self.assertGreater(values.median().item(), 0.6)

    def test_gram_iterations_equal_direct_ones(self):
        x = torch.randn(2, 16, 64, dtype=torch.float64)
        direct = x / x.norm(dim=(-2, -1), keepdim=True)
        a, b, c = muon._QUINTIC
        for _ in range(4):
            gram = direct @ direct.mT
            direct = a * direct + (b * gram + c * gram @ gram) @ direct
        with_default = muon.orthogonalise(x.float())
        self.assertLess((direct.float() - with_default).abs().max().item(), 1e-3)


class Network(unittest.TestCase):
    def test_trimmed_encoder_equals_whispers_on_the_full_context(self):
        torch.manual_seed(0)
        trainee = Trainee(build(600), len(phonemes.PHONEMES)).eval()
        mel = torch.randn(2, 80, 1000)
        with torch.no_grad():
            self.assertLess((trainee.encode(mel)[0] - trainee.model.encoder(mel)).abs().max().item(), 1e-5)
        self.assertLess(PHONEME_BLOCK, len(trainee.model.encoder.blocks))

    def test_a_timestamp_beside_the_right_one_is_less_wrong_than_a_far_one_and_words_are_as_ever(self):
        trainee, targets = Trainee(build(600), 4), torch.tensor([[5, -100, 200]])  # 99 is 0.00 s
        losses = []
        for stamp in (200, 201, 240):
            logits = torch.zeros(1, 3, 600)
            logits[0, 2, stamp] = 9.0
            losses.append(trainee.text_loss(logits, targets).item())
        self.assertTrue(losses[0] < losses[1] < losses[2], losses)
        logits = torch.randn(1, 2, 600)
        expected = torch.nn.functional.cross_entropy(logits[0], torch.tensor([5, 17]))
        self.assertAlmostEqual(trainee.text_loss(logits, torch.tensor([[5, 17]])).item(), expected.item(), places=5)
        perfect = trainee.bells[101].log().clamp(min=-1e4)
        logits = torch.cat([torch.full((99,), -1e4), perfect])[None, None]
        self.assertAlmostEqual(trainee.text_loss(logits, torch.tensor([[200]])).item(), 0, places=4)

    def test_an_encoder_that_stays_has_no_gradients(self):
        trainee = Trainee(build(600), 4)
        trainee.keep_encoder()
        batch = batches.Batch(torch.randn(1, 80, 40), torch.tensor([[1, 2, 3]]), torch.tensor([[2, 3, -100]]), torch.zeros(1, 20, dtype=torch.long),
                              torch.ones(1, 3, 20, dtype=torch.bool), torch.full((1, 20), -100))
        losses = trainee(batch)
        sum(losses.values()).backward()
        with_gradients = {name.split(".")[1] for name, p in trainee.named_parameters() if p.grad is not None}
        self.assertEqual((set(losses), with_gradients), ({"text", "guide"}, {"decoder"}))


class Decoding(unittest.TestCase):
    def test_edit_distance(self):
        self.assertEqual(decode.edit_distance("a b c".split(), "a x c d".split()), 2)
        self.assertEqual(decode.word_error_rate(iter([("a b", "a b"), ("", "c d")])), 0.5)


class Evaluation(unittest.TestCase):
    def test_late_clips_are_the_held_out_ones_behind_silence_each_at_every_onset(self):
        class Engine:
            heard = []

            def transcribe(self, clips, language):
                self.heard += clips
                return ["late one" if clip[0] == 0 else "one" for clip in clips]

        counts = (8000, 81_000)  # the second does not fit behind five seconds
        with tempfile.TemporaryDirectory() as folder:
            stem = f"{folder}/sentences-0000"
            np.save(f"{stem}.audio.npy", np.full(sum(counts), 5, np.int16))
            np.save(f"{stem}.labels.npy", np.zeros(sum(counts) // 320 + 1, np.uint8))
            Path(f"{stem}.json").write_text(json.dumps([
                {"text": "one", "language": "en", "labels": [0, 25], "audio": [at, count]}
                for at, count in zip((0, counts[0]), counts)]))
            summary, wrong = evaluate.late_clips(Engine(), Path(folder), None)
        self.assertEqual([len(clip) for clip in Engine.heard], [8000 + 16_000 * onset for onset in evaluate.ONSETS])
        self.assertEqual({name: figures["wer"] for name, figures in summary.items()},
                         {"all": 0.8, "onset 0 s": 0, "onset 1 s": 1, "onset 2 s": 1, "onset 3 s": 1, "onset 5 s": 1})
        self.assertEqual(len(wrong), 4)


class LongForm(unittest.TestCase):
    def test_a_windows_text_stands_to_its_last_pair_of_timestamps_and_the_next_window_begins_there(self):
        begin = 100
        for tokens, expected in (([100, 1, 150, 150, 2, 200, 210], (6, 700)),  # begun, and left to the next window
                                 ([100, 1, 150, 150, 2, 3], (3, 600)),  # stopped in the middle
                                 ([100, 1, 150, 150, 2, 200], (6, 1500)),  # nothing else follows
                                 ([100, 1, 150], (3, 1500)), ([100], (1, 1500))):
            self.assertEqual(longform.cut(tokens, begin, 500, 1000), expected)

    def test_segments_of_no_text_or_no_length_do_not_stand(self):
        with tempfile.TemporaryDirectory() as folder:
            save(train(count=300, sentences=50), Path(folder))
            tokenizer = Tokenizer(Path(folder))
        word, at = tokenizer.encode(" a"), tokenizer.timestamp
        tokens = [at(0), *word, at(1), at(1), at(2), at(3), *word, at(3), at(4), *word, at(5)]
        self.assertEqual(longform.standing(tokenizer, tokens), [at(0), *word, at(1), at(4), *word, at(5)])
        self.assertEqual(longform.standing(tokenizer, [at(0)]), [])


class Export(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        save(train(count=700, sentences=2000), Path(cls.folder.name))
        cls.tokenizer = Tokenizer(Path(cls.folder.name))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_special_tokens_follow_the_ranks_in_whispers_order(self):
        self.assertEqual(list(self.tokenizer.special.values()), list(range(700, 700 + len(special_tokens()))))
        self.assertEqual(self.tokenizer.no_timestamps + 1, self.tokenizer.first_timestamp)

    def test_tokenizer_json_encodes_as_tiktoken_does(self):
        from tokenizers import Tokenizer as HuggingFaceTokenizer
        theirs = HuggingFaceTokenizer.from_str(json.dumps(export.tokenizer_json(self.tokenizer)))
        rng = random.Random(4)
        texts = [" " + grammar.sentence(rng).text for _ in range(300)] + ["Don't!  Où? 42 日本\n", ""]
        for text in texts:
            self.assertEqual(theirs.encode(text, add_special_tokens=False).ids, self.tokenizer.encode(text), text)

    def test_a_part_of_the_way_lies_between_both(self):
        with tempfile.TemporaryDirectory() as out:
            begun, model = build(self.tokenizer.size), build(self.tokenizer.size)
            export.export(begun, Path(self.folder.name), Path(out), [(1, 0)])
            before = model.decoder.token_embedding.weight.detach().clone()
            for share in (0.5, 0.7):
                model.decoder.token_embedding.weight.data.copy_(before)
                export.move_part_of_the_way(model, Path(out), share)
                expected = share * before + (1 - share) * begun.decoder.token_embedding.weight
                self.assertLess((model.decoder.token_embedding.weight - expected).abs().max().item(), 1e-4)

    def test_transformers_reads_the_folder_and_computes_the_same_logits(self):
        try:
            from transformers import WhisperForConditionalGeneration
        except ImportError:
            self.skipTest("transformers is not installed")
        torch.manual_seed(0)
        model = build(self.tokenizer.size).eval()
        for parameter in model.parameters():
            parameter.data = parameter.data.half().float()
        with tempfile.TemporaryDirectory() as out:
            export.export(model, Path(self.folder.name), Path(out), [(1, 0)])
            theirs = WhisperForConditionalGeneration.from_pretrained(out, dtype=torch.float32).eval()
            mel, tokens = torch.randn(1, 80, 1000), torch.tensor([self.tokenizer.prompt("en")])
            with torch.no_grad():
                again = build(self.tokenizer.size).eval()
                again.load_state_dict(export.load_folder(Path(out)))
                self.assertLess((again(mel, tokens) - model(mel, tokens)).abs().max().item(), 1e-2)  # positions are rounded
                difference = model(mel, tokens) - theirs(input_features=mel, decoder_input_ids=tokens).logits
        self.assertLess(difference.abs().max().item(), 1e-4)


class Clips(unittest.TestCase):
    def test_windows_follow_one_another_and_keep_what_lies_in_them(self):
        from recipe.synthesize import Clip
        samples = np.arange(5 * 16_000, dtype=np.float32)
        spoken = Clip("one two three", "en", "template", "v", samples,
                      [(0.0, 0.5, phonemes.SILENCE), (0.5, 2.5, "a"), (2.5, 3.0, "b"), (4.1, 4.9, "c")],
                      [(0.5, 2.5, 0, 0), (2.5, 3.0, 1, 2)])
        found = list(clips.windows(spoken, 2.0))
        self.assertEqual([(part[0], len(part)) for part, _, _ in found], [(0, 32_000), (32_000, 32_000)])
        self.assertEqual(found[0][1], [[0.5, 2.0, "a"]])
        self.assertEqual(found[1][1], [[0.0, 0.5, "a"], [0.5, 1.0, "b"]])
        self.assertEqual([words for _, _, words in found], [[[0.5, 2.0, "one"]], [[0.0, 0.5, "one"], [0.5, 1.0, "two three"]]])

    def test_sentences_of_a_block_are_the_same_each_time_and_held_out(self):
        first, second = (clips.sentences(random.Random("7/3"), 20) for _ in range(2))
        self.assertEqual(first, second)
        self.assertTrue(all(sentence.is_held_out for sentence, _ in first))


class DemoSet(unittest.TestCase):
    def test_manifest_describes_the_files(self):
        import soundfile
        manifest = HERE / "demo" / "manifest.jsonl"
        entries = [json.loads(line) for line in manifest.read_text().splitlines()]
        self.assertEqual({entry["file"] for entry in entries}, {path.name for path in manifest.parent.glob("*.flac")})
        self.assertLess(sum(path.stat().st_size for path in manifest.parent.iterdir()), 2_000_000)
        for entry in entries:
            info = soundfile.info(manifest.parent / entry["file"])
            self.assertEqual((info.samplerate, info.channels), (16_000, 1))
            self.assertAlmostEqual(info.duration, entry["duration"], delta=0.001)
            for span in entry["phonemes"] + entry["words"]:
                self.assertLess(span["start"], span["end"])
                self.assertLessEqual(span["end"], entry["duration"] + 0.1)


if __name__ == "__main__":
    unittest.main()

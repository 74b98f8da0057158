"""The words the default model knows, grouped into semantic classes.

The classes are what makes the model worth dissecting: numbers, animals, colours, places and so on give embedding
neighbours something to agree about, the minimal pairs force the encoder to tell single sounds apart, and the fixed
phrases give the decoder bigrams that survive when there is no audio at all.
"""


def _words(**classes):
    return {name: words.split() for name, words in classes.items()}


ENGLISH = _words(
    determiner="the a my your his her our their this that every another",
    plural_determiner="the my your some many those these two three four five six ten twelve all",
    animal="""cat dog horse cow sheep goat pig hen duck goose mouse rat rabbit fox wolf bear lion tiger monkey elephant
        snake frog fish shark whale eagle owl parrot bee spider""",
    animals="""cats dogs horses cows sheep goats pigs hens ducks birds rabbits wolves bears lions tigers monkeys
        elephants snakes frogs bees spiders""",
    food="""bread butter cheese milk soup rice pasta pizza salad chicken beef fish cake pie honey sugar salt pepper
        chocolate yogurt""",
    fruit="""apple banana orange lemon cherry peach pear grape melon strawberry potato tomato carrot onion cabbage""",
    fruits="""apples bananas oranges lemons cherries peaches pears grapes melons potatoes tomatoes carrots onions eggs
        beans cookies""",
    drink="water tea coffee juice milk beer wine lemonade",
    colour="red blue green yellow black white brown pink purple orange grey golden silver",
    adjective="""big small old new young tall short long heavy light fast slow clean dirty happy sad angry quiet loud
        soft hard strong weak rich poor cheap empty full hungry thirsty tired clever brave kind funny strange beautiful
        ugly warm cold hot dry wet round broken famous""",
    feeling="""happy sad angry tired hungry thirsty afraid sick bored proud busy sorry late lost worried surprised
        ready alone""",
    family="mother father sister brother son daughter uncle aunt cousin grandmother grandfather baby wife husband",
    job="""doctor nurse teacher farmer driver pilot baker singer painter dancer writer soldier sailor judge lawyer king
        queen president captain student waiter""",
    name="john mary peter anna tom alice david emma james sarah paul lucy george helen mark julia",
    place="""house garden kitchen school church office shop market station park street bridge river lake forest beach
        mountain island city village farm hospital hotel library museum theatre airport castle tower room""",
    country="france england spain italy germany america canada china japan india africa russia",
    city="london paris rome berlin madrid boston chicago dublin moscow tokyo",
    thing="""book pen cup bottle box bag key lamp chair table bed door window clock phone camera letter picture knife
        fork spoon plate hat coat shirt shoe ball stone stick rope ring coin ticket map mirror guitar piano bicycle
        basket blanket pillow hammer""",
    things="""books pens cups bottles boxes bags keys lamps chairs tables doors windows clocks phones letters pictures
        knives spoons plates hats coats shirts shoes balls stones sticks ropes rings coins tickets maps""",
    vehicle="car bus train truck boat ship plane bicycle taxi tractor",
    body="head hand arm leg foot eye ear nose mouth hair back heart finger knee shoulder",
    moved="""moved carried lifted pushed pulled dragged threw dropped placed brought took sent put rolled shifted
        delivered""",
    went="walked ran went drove jumped swam flew climbed crawled marched rode travelled hurried returned",
    goes="walks runs goes drives jumps swims flies climbs comes sleeps works lives",
    said="said asked shouted whispered told answered cried",
    likes="likes loves wants needs hates prefers eats buys sells cooks",
    like="like love want need hate prefer eat buy sell cook",
    do="see find buy sell open close break fix wash clean paint draw hide keep lose hold",
    did="saw found bought sold opened closed broke fixed washed cleaned painted drew hid kept lost held",
    weather="rain snow wind storm fog sun cloud thunder lightning ice frost",
    weathery="sunny rainy cloudy windy foggy stormy snowy cold warm hot",
    season="spring summer autumn winter",
    day="monday tuesday wednesday thursday friday saturday sunday",
    month="january february march april may june july august september october november december",
    when="today tomorrow yesterday tonight now soon again later always never sometimes often",
    digit="zero one two three four five six seven eight nine",
    teen="ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen",
    tens="twenty thirty forty fifty sixty seventy eighty ninety",
    ordinal="first second third fourth fifth sixth seventh eighth ninth tenth last next",
    preposition="in near behind beside inside outside under over across through from to into around above below",
    pronoun="he she we they i you",
    sport="football tennis chess basketball cards music",
    subject="music history science english french mathematics art",
    material="wood stone metal glass paper gold silver wool",
    adverb="slowly quickly quietly loudly carefully suddenly gently badly early late",
)

# Groups of words that differ in one sound; a sentence draws all of its words from one group.
MINIMAL_PAIRS = [group.split() for group in (
    "rug mug tug lug bug hug jug dug", "cat hat bat mat rat sat fat pat", "pin bin tin fin win chin thin skin",
    "light right night might fight sight tight kite", "pen ten hen men den when then again",
    "cold gold bold told sold hold fold rolled", "lake make cake take wake shake snake bake",
    "ship chip sheep cheap lip leap sip seep", "coat goat boat note vote wrote float throat",
    "ball call fall hall tall wall small shawl", "back pack sack black track rack jack lack",
    "bell sell tell well yell shell smell spell", "ring king sing wing thing bring spring string",
    "face race place lace space case base chase", "sea see tea key knee bee tree three",
)]

# Said as they are, never held out: a model that is to know that "lights" follows "traffic" must hear it.
PHRASES = [phrase.strip() for line in """
traffic lights|traffic jam|hot questions|hot water|hot chocolate|hot dog|thank you|thank you very much
thank you so much|very good|very much|very well|good morning|good evening|good afternoon|good night|good luck
ice cream|orange juice|apple pie|bus stop|train station|police station|fire station|post office|swimming pool
washing machine|living room|happy birthday|happy new year|united states|new york|san francisco|of course|as well as
in front of|excuse me|see you later|see you tomorrow|how are you|what time is it|once upon a time
ladies and gentlemen|peanut butter|credit card|phone number|for example|by the way|on the other hand
at the same time|a lot of people|more and more|again and again|black and white|bread and butter|salt and pepper
day and night|cats and dogs|fish and chips|yes please|no thank you|i don't know|i'm sorry|it's all right
let's go home|come here|wait a minute|north and south|east and west|up and down|left and right|right now
all of a sudden|as soon as possible|kind of|sort of|out of the blue|piece of cake|prime minister|high school
breaking news""".strip().splitlines() for phrase in line.split("|")]

# Openings and their endings, also never held out.
COLLOCATIONS = {opening: endings.split("|") for opening, endings in {
    "the traffic lights": "are red|are green|were broken|turned green",
    "we were stuck in a traffic jam": "this morning|yesterday|near the bridge|again",
    "thank you very much": "for your help|for the flowers|for coming|for everything|my friend",
    "there were some hot questions": "from the students|for the president|after the news",
    "she ordered": "a hot chocolate|an orange juice|an ice cream|an apple pie|a hot dog",
    "he eats peanut butter": "on bread|with honey|every morning",
    "he is waiting": "at the bus stop|at the train station|in front of the post office|for the bus",
    "the police": "stopped the car|closed the road|found the money",
    "ladies and gentlemen": "good evening|please sit down|thank you for coming",
    "once upon a time there was": "a king|a queen|a little girl|an old man|a black cat",
    "what time": "is it|does the train leave|is dinner",
}.items()}

FRENCH = _words(
    masculine="""chat chien cheval oiseau lapin livre pain fromage gâteau jardin bateau train vélo garçon père frère
        médecin roi soleil chapeau stylo verre""",
    feminine="""maison voiture pomme table chaise porte fenêtre fille mère soeur reine fleur ville rue école montagne
        plage lettre lampe clé tasse soupe""",
    masculine_adjective="petit grand noir blanc vert rouge jaune vieux beau nouveau",
    feminine_adjective="petite grande noire blanche verte rouge jaune vieille belle nouvelle",
    pronoun="il elle on",
    takes_object="mange regarde cherche trouve porte achète vend ouvre ferme prend aime voit veut lave",
    first_person="mange regarde cherche trouve porte aime",
    stands_alone="dort chante marche court arrive travaille tombe parle",
    number="un deux trois quatre cinq six sept huit neuf dix onze douze vingt trente cent",
    plural="chats chiens livres pommes enfants amis fleurs jours heures maisons",
    day="lundi mardi mercredi jeudi vendredi samedi dimanche",
    when="aujourd'hui demain hier maintenant toujours souvent",
    preposition="dans devant derrière sur sous avec pour",
)

FRENCH_PHRASES = [phrase.strip() for line in """
bonjour|bonsoir|merci beaucoup|s'il vous plaît|au revoir|bonne nuit|je ne sais pas|comment ça va|il fait froid
il fait chaud|il pleut|je suis fatigué|où est la gare|à demain|bien sûr|tout le monde|mon ami|ma famille|parce que
très bien|je t'aime|c'est la vie|bon appétit|joyeux noël|j'ai faim|j'ai soif|nous sommes ici|vous êtes très gentil
""".strip().splitlines() for phrase in line.split("|")]

# Words whose spelling cannot be told from their sound, and which therefore may not appear in word salad.
HOMOPHONES = set("""sea to for their no know threw by tee eye i son sun aunt pear write right i'm our hour won read week
    i'd too it's its ate road rode made mail knight meet meat there here hear flour new knew tail tale weather wood
    would which witch wear where rain reign sail sale plane plain role roll through way weigh we vote
    et est c'est a à l' ou où au ce se ces ses son sont mon père paire mer vert verre ver cent sans sang on ont il ils
    elle chat chats chiens livres pommes maisons fleurs jours heure heures ami amis enfant enfants petit noir noire
    belle beau vieille rue""".split())

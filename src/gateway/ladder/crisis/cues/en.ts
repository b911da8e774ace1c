/**
 * English cues of danger. See `Cues` for how they are written.
 *
 * @module gateway/ladder/crisis/cues/en
 */
import type { Cues } from '../cues.ts';

const I = "(?:i|im|i'm|ive|i've|id|i'd|ill|i'll)";
const KIN =
  '(?:friend|bestie|mate|buddy|newborn|toddler|infant|nan|nana|gran|granny|grandad|stepbrother|stepsister|nephew|niece|lover|parents|wife|husband|partner|spouse|boyfriend|girlfriend|bf|gf|fiancee?|son|daughter|kid|child|baby|brother|sister|mom|mum|mother|dad|father|stepdad|stepmom|stepfather|stepmother|grandma|grandpa|grandmother|grandfather|uncle|aunt|cousin|neighbou?r|roommate|flatmate|classmate|colleague|coworker|student|ex)';
const PERSON = `(?:kq|he|she|he's|she's|somebody|someone|a (?:man|woman|person|stranger|guy|boy|girl)|the baby)`;
const END =
  "(?:kill(?:ing)? myself|be dead|i (?:was|were) (?:dead|never born)|i wasn't (?:alive|born)|dying tonight|end(?:ing)? (?:it all|my (?:own )?life|everything)|tak(?:e|ing) my (?:own )?life|commit(?:ting)? suicide|never wak(?:e|ing) up|not wak(?:e|ing) up|to not exist|stop existing|unalive(?: myself)?|be gone forever)";

export const EN: Cues = {
  kin: `(?:my|our|a|the|her|his) (?:\\w+ )?${KIN}`,
  not: [
    '(?:heart attack|stroke|seizure)\\b[^.!?\\n]{0,20}\\b(?:years ago|last year|in (?:19|20)\\d\\d)',
    'tak(?:e|ing) my life (?:to|in|into|back|seriously|as)|(?:end|ending) my life (?:insurance|as a|in (?:the )?\\w+ (?:job|industry))|kill yourself (?:laughing|trying|over)',
    '(?:kill(?:ed|ing)?|shoot|shot|hang) myself (?:laughing|in the foot|at (?:the gym|work)|over (?:this|my|the|that)|in (?:the|this|a) (?:game|match)|in minecraft|trying to|with (?:work|homework|overtime))',
    '(?:die|died|dying|dead) (?:of|from|with) (?:embarrassment|shame|laughter|laughing|cringe|boredom|curiosity|hunger|thirst|cuteness|heat|happiness|joy)',
    '(?:die|died|dying) (?:laughing|inside)|dying to|to die for|die hard|rather die than',
    '(?:cut|cutting|hurt|burn|burned|burnt|harm) myself (?:some|shaving|cooking|while|when|off|a |on (?:a|the|some)|at|with (?:a|the) (?:kitchen|knife|razor|can)|running|playing|lifting|in the kitchen|by accident|accidentally)',
    `(?:beats?|beat|beating) me (?:at|in|to|by|again|every time (?:we|in|at)|with (?:his|her|a) (?:score|record|team|deck|queen|flush|pair|serve))|hits? me up|hits? me (?:with (?:a (?:lot|question|bill|surprise)|the (?:news|bill|question)|questions)|that)|hit me like`,
    'kick(?:s|ed)? me (?:off|out)|lock(?:s|ed)? me out',
    "(?:boss|mom|mum|mother|dad|wife|husband|teacher|manager|coach|editor|roommate|girlfriend|boyfriend|parents|he|she|he's|she's|they)(?: is| are|'s|s)? (?:going to|gonna|will|would|'ll) kill me (?:if|when|for|because|once)(?! i (?:leave|go|tell|talk|call))",
    'so (?:boring|embarrass\\w+|awkward|bad|cringe\\w*|funny|hot|cold|hungry|tired)[^.!?\\n]{0,30}(?:want(?:ed)? to|could) die',
    '[^.!?\\n]{0,60}\\b(?:as a joke|playfully|jokingly)\\b',
    "(?:can't|cant|cannot|couldn't) breathe (?:in|with|through) (?:this|these|my|that|the|a) (?:suit|dress|jeans|pants|mask|corset|shirt|costume|helmet|nose|n95)",
    'suicide (?:squad|burn|door|doors|king|kings|sprints?|run|runs|pass|gene|inhibition|silence|boys|bomber|forest|hotline number|prevention (?:week|day|month|research))|suicidal tendencies',
    '(?:heart attack|stroke) when|(?:almost|nearly|gave (?:me|him|her)|like) (?:had |having )?a (?:heart attack|stroke)|stroke of',
    'overdos(?:e|ed|ing) (?:on|of) (?:chocolate|sugar|netflix|cuteness|memes|candy|cake|turkey|christmas|cheese|nostalgia|vitamin d at)',
    "(?:laugh\\w*|funny)[^.!?\\n]{0,40}(?:can't|cant|couldn't|cannot) breathe|breathe (?:easy|life)|bleeding (?:edge|money|cash|memory|users|gums)|unconscious (?:bias|mind|competence)",
    'how (?:do|would|can) (?:you|i|we|one) (?:say|spell|translate|write)[^?\\n]{0,80}',
    '(?:character|hero|heroine|protagonist|villain|narrator|player|song|lyrics?|poem|actor|singer)[^.!?\\n]{0,40}\\b(?:says?|said|sings?|whispers?|screams?|thinks?|tells?|goes|called|titled)\\b[^.!?\\n]{0,80}',
    '(?:song|movie|film|book|album|band|game|episode|novel|series|track|play) (?:called|titled|named|is called)[^.!?\\n]{0,60}',
  ],
  selfHarm: [
    "\\b(?:don't|dont|do not) deserve to (?:live|be alive|exist)\\b|\\b(?:what happens|what will happen|would it kill me) if i (?:take|took|swallow|drink|jump|cut)\\b~~\\b(?:pills|paracetamol|tylenol|ibuprofen|tablets|bleach|bridge|wrists?|xanax|aspirin|insulin)\\b",
    '\\b(?:says?|said|told me|telling me|texted|rang|called|threatens?|threatened|going|wants)\\b~~\\b(?:end (?:his|her|their) (?:own )?life|commit suicide|take (?:his|her|their) own life|kill (?:him|her|them)sel(?:f|ves))\\b',
    '\\b(?:hang|hanging|kill|killing|drown|drowning|shoot|shooting|suffocate|suffocating) (?:yourself|oneself)\\b',
    '\\b(?:bridge|roof|rooftop|ledge|cliff|balcony|platform|tracks)\\b~~\\bjump|\\bjump(?:ing)? (?:in front of|under|onto) (?:a|the) (?:train|tracks|truck|bus)\\b',
    '\\b(?:pills|tablets|dose|poison|meds|medication)\\b~~\\b(?:to die\\b(?! out)|kill myself|kill me|end my life)',
    '\\blife (?:is|feels|has become) (?:meaningless|pointless|unbearable|worthless|(?:not|no longer) worth (?:living|it))(?=[.,!?;\\n]|$| any| and| to me| any ?more)',
    "\\b(?:i am|im|i'm|i've become|i feel like) (?:just )?(?:a |such a )?burden\\b|\\b(?:nobody|no one) (?:would|will) (?:miss me|care if i (?:die|died|was gone|disappeared))\\b",
    `\\bkq\\b~~\\b(?:shoot|hang|drown|cut|poison|starve)(?:s|ing)? (?:him|her|them)sel(?:f|ves)\\b|\\b(?:he|she|they) (?:wants?|is going|'s going|are going|plans?|tried|threatens?|threatened|says (?:he|she) (?:wants|will))(?: to)?~\\b(?:kill|hurt|shoot|hang|harm) (?:him|her|them)sel(?:f|ves)\\b`,
    '\\b(?:made|have|got) a plan to (?:die|kill|end|hurt)\\b|\\bsay goodbye (?:to everyone|forever)\\b|\\bgiving away my (?:things|stuff|belongings)\\b|\\b(?:should|can|could) i just die\\b|\\blet me die\\b',
    `\\b${I}\\b~~${END}`,
    '\\b(?:want|wanna|wish|hope|going|gonna|ready|need|deserve|prefer|hoping|rather)\\b(?: just| really| only)*(?: to)?(?: just| really)* die\\b',
    `\\b${I}\\b~\\b(?:thinking|think|thought|considering|considered|contemplating|planning|attempted|attempt|tried|about)\\b(?: \\w+){0,3} suicide\\b(?! (?:rates?|among|in|and|statistics|bereavement))`,
    '\\b(?:kill|hang|shoot|drown|poison)(?:ing)? my ?self\\b',
    `(?:^|[.!?\\n] ?)(?:want|wanna|going|gonna|ready|just want|thinking|planning|considering|wish)\\b~${END}`,
    `\\b${I}\\b~\\bsuicidal\\b|\\bmy suicidal\\b|\\bmy suicide\\b|\\bfeeling suicidal\\b`,
    '\\b(?:write|writing|wrote|my|a) (?:\\w+ )?suicide (?:note|letter)',
    '\\b(?:best|easiest|painless|quickest|fastest|least painful|most painless|good)\\b~\\b(?:way|ways|method|methods)\\b~(?:to die\\b|kill (?:myself|yourself|oneself)|suicide|end (?:it all|my life))',
    '\\bpainless(?:ly)? (?:death|suicide|die)|\\bhow (?:can|do|could|should) i (?:die|kill myself|end (?:it all|my life))\\b',
    '\\bhow (?:many|much)\\b~~(?:to die\\b|kill me|kills you|is lethal|be lethal|is fatal|to overdose|lethal dose)',
    '\\b(?:no|any|the) (?:reason|point|purpose) (?:to|in|for|of) (?:live|living|being alive|go on|going on|my life)\\b(?! in)|\\bnothing (?:left )?to live for',
    "\\bbetter (?:off )?(?:without me|if i (?:was|were|wasn't|weren't|am) (?:dead|gone|here|alive|around|born))",
    "\\b(?:don't|dont|do not|didn't|no longer) (?:want to|wanna|want) (?:live|be alive|exist|be here|wake up|go on)(?: (?:any ?more|like this|tomorrow))?(?=[.,!?;\\n]|$| and| but| because)",
    "\\b(?:can't|cant|cannot|can not) go on (?:any ?more|like this|living)|\\btired of (?:living|being alive|life)\\b",
    `\\b${I}\\b~\\b(?:cut|cutting|harm|harming|hurt|hurting|burn|burning) my ?self\\b|\\burge to (?:cut|harm|hurt) myself|\\b(?:cut|cutting) my (?:wrists?|arms?|thighs?)\\b`,
    `\\b${I}\\b~\\bself[- ]?harm`,
    '\\bi have (?:a|the|my) (?:rope|gun|noose|pills|knife|razor|blade)\\b~\\b(?:ready|loaded|in front|in my hand)\\b|\\bgoodbye (?:message|letter|note|letters|notes|video)\\b|\\btake all (?:of )?my (?:pills|meds|tablets)\\b',
    '\\b(?:end|ending) it (?:all )?(?:tonight|today|now|tomorrow|soon)\\b',
    `\\b${I}\\b~\\bjump(?:ing)? (?:off|from|in front of) (?:a|the|this|my) (?:bridge|roof|building|balcony|cliff|train|window)`,
    `\\bkq\\b~~(?:kill (?:him|her|them) ?sel(?:f|ves)|\\bsuicidal\\b|wants? to die|end(?:ing)? (?:his|her|their) (?:own )?life|tak(?:e|ing) (?:his|her|their) own life|cut(?:s|ting)? (?:him|her|them)sel(?:f|ves)|harm(?:s|ing)? (?:him|her|them)sel(?:f|ves)|(?:going to|gonna|might|will|wants to) hurt (?:him|her|them)sel(?:f|ves)|commit suicide)`,
  ],
  violence: [
    '\\b(?:slam(?:s|med)?|smash(?:es|ed)?|bang(?:s|ed)?) my head\\b|\\b(?:put|held|holds|pressed|pointed) (?:a|the|his|her) (?:knife|gun|blade|pistol) (?:to|at|against|on) (?:my|me|us|our)\\b|\\bhits? me with (?:a|his|her|the) (?:belt|stick|fist|bottle|bat|cable|hand)\\b',
    `\\bkq\\b~\\b(?:beats?|beating|hits|hitting|whips|hurts) (?:me|us)\\b~\\b(?:with (?:a|his|her|the) (?:belt|stick|cable|fist|bat|shoe)|every (?:day|night|time (?:he|she))|run away|scared|afraid)`,
    '\\b(?:uncle|stepdad|stepfather|father|dad|brother|teacher|coach|priest|grandpa|grandfather|boss|cousin|stepbrother)\\b~\\b(?:touche[sd]|touching|groped|gropes|forces|forced) me\\b(?! to (?:do|eat|clean|study|learn|go|play))',
    '\\b(?:forced|forces|made) me (?:to have sex|into sex|to sleep with)\\b|\\bdomestic (?:violence|abuse)\\b~~\\b(?:i|my|me)\\b(?= (?:need|am|husband|partner|want help))',
    '\\b(?:stalking me|follows me home|following me home|broke in(?:to my)? |is breaking in|trying to break in|breaking into my)\\b(?! (?:car|account|email))',
    `\\bkq\\b~\\b(?:hits?|beats?|beating|hitting|punch(?:es|ed)?|kick(?:s|ed)?|slap(?:s|ped)?|chok(?:es|ed|ing)|strangl(?:es|ed|ing)|rap(?:es?|ed|ing)|abus(?:es?|ed|ing)|molest(?:s|ed|ing)|hurts|threaten(?:s|ed)? to (?:kill|hurt)|burn(?:s|ed)|attack(?:s|ed)|shov(?:es|ed)|throws things at) (?:me\\b|us\\b|(?:kq )?my (?:\\w+ )?(?:kids|children|daughter|son|mom|mum|mother|sister|brother)|the (?:kids|children))`,
    `\\b(?:kq|he|she)\\b~\\b(?:push(?:es|ed)|throws?|threw|slam(?:s|med)|dragged|shoved) me (?:down|against|into|by|across|to the (?:floor|ground))`,
    '\\b(?:he|she) (?:hits|beats|keeps (?:hitting|beating)|punche[sd]|chokes?d?|strangled?|slaps|slapped|raped|rapes|abuses) (?:me|us|my kids)\\b',
    '\\b(?:said|says|threatens?|threatened|threatening|swore|promised|told me)\\b~\\b(?:kill|hurt|stab|shoot|murder) (?:me|us|my (?:kids|children|family))\\b',
    "\\b(?:he's|he is|she's|she is|he will|he'll|she'll|husband is|boyfriend is|ex is) (?:going to |gonna |trying to )?kill (?:me|us)\\b",
    '\\b(?:afraid|scared|terrified)\\b~\\b(?:my (?:husband|wife|boyfriend|partner|father|dad|stepdad|stepfather|ex)|to go home|for my life|he will (?:kill|hurt)|of going home)\\b',
    "\\bi(?:'m| am| was| got|'ve been| have been| just got| just was)? ?(?:being |been )?(?:raped|sexually assaulted|molested|beaten up|abused by|sexually abused|being abused|being beaten)\\b",
    `\\b${I}\\b~\\bvictim of (?:domestic|sexual) (?:violence|abuse)\\b`,
    "\\b(?:won't|wont|doesn't|does not|will not) let me (?:leave|out of) (?:the|our|my) (?:house|home|room|apartment|flat)\\b|\\blocked me in\\b",
    '\\b(?:he|she|husband|boyfriend|ex|dad|father|man|someone|somebody)\\b~\\b(?:has|got|with|holding|pulled) a (?:gun|knife)\\b~~\\b(?:me|us|my|house|door|outside|threat\\w*)\\b',
    `\\bhiding\\b~\\bfrom (?:kq|him)\\b`,
  ],
  medical: [
    `\\bkq\\b~\\b(?:swallowed|ate|took|drank|got into)\\b~~\\b(?:pills|tablets|medication|medicine|battery|bleach|detergent|magnets?|poison|cleaner)\\b`,
    "\\b(?:clutching|holding|grabbing) (?:his|her|my) chest\\b|\\bstopped breathing\\b|\\b(?:blood (?:won't|wont|doesn't|keeps)|bleed(?:s|ing)? (?:and|that) (?:it )?(?:won't|wont)) (?:stop|coming|pouring)|\\blips are (?:turning )?blue\\b",
    '\\b(?:took|taken|swallowed|swallow|ate|drank|ingested)\\b~\\b(?:whole|entire|all|bottle|box|pack|too many|lots of|handful|dozens?|ten|fifteen|twenty|thirty|forty|fifty|\\d{2,})\\b~(?:pills?|tablets?|paracetamol|acetaminophen|tylenol|ibuprofen|aspirin|medication|medicine|meds|xanax|benzos|antidepressants|painkillers)\\b',
    '\\b(?:drank|swallowed|ate|ingested)\\b~\\b(?:bleach|antifreeze|drain cleaner|poison|detergent|a (?:button )?battery|rat poison|ammonia)\\b',
    `\\b(?:${I}|${PERSON})\\b~\\boverdos(?:ed|ing)\\b`,
    `\\b(?:${PERSON}|i)\\b~~\\b(?:not|isn't|isnt|stopped|can't|cant|cannot|can not|barely|struggling to|no longer) breath(?:e|ing)\\b`,
    '\\b(?:crushing|severe|sharp|sudden|bad|strong|terrible|intense)\\b~(?:chest pains?|pain in (?:my|his|her) chest)',
    '\\bchest (?:pains?|hurts)\\b~~(?:\\barm\\b|breath|sweat|jaw)',
    `\\b(?:${I}|${PERSON})\\b~\\bhaving (?:a|another) (?:heart attack|stroke|seizure)\\b`,
    `\\b${PERSON}\\b~~\\b(?:unconscious|unresponsive|passed out and|collapsed|won't wake up|wont wake up|not waking up|isn't waking up|turning blue|going blue)\\b`,
    `\\b${PERSON}\\b~~\\b(?:fell|fallen|collapsed|fainted|hit (?:his|her) head|passed out|had a fall)\\b~~\\b(?:respond\\w*|wak\\w+|moving|conscious|react\\w*)\\b|\\bate (?:rat )?poison`,
    "\\b(?:so much blood|bleeding (?:heavily|badly|a lot|out|profusely|everywhere|to death)|(?:won't|wont|doesn't|not) stop bleeding|can't stop the bleeding)\\b",
    `\\b(?:${PERSON}|i'm|im|i am)\\b~\\bchoking\\b(?! on (?:the|a) (?:build|query))`,
    "\\b(?:his|her|my|their) (?:face|mouth|smile)\\b~\\b(?:droop\\w*|numb|hanging)\\b|\\bsuddenly (?:cannot|can't|cant|can not) (?:speak|see|move|talk|feel)\\b|\\bslurred speech\\b|\\bslurring (?:his|her|my) (?:words|speech)\\b",
    '\\bthroat (?:is )?(?:closing|swelling|closed up)|\\banaphyla\\w+~(?:now|breath|help)|\\ballergic reaction\\b~~(?:breath|throat|swell)',
  ],
};

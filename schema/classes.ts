/** Facts of the shipped datasets: names of their classes in label order, the shape of their images, and how many there are. Pure, so
 *  that pages can name what a picture shows, and a server knows how large evidence must be. */

/** As printed on the page of Fashion-MNIST. */
const clothes = [
  'T-shirt/top',
  'Trouser',
  'Pullover',
  'Dress',
  'Coat',
  'Sandal',
  'Shirt',
  'Sneaker',
  'Bag',
  'Ankle boot',
]

/** Fine labels of CIFAR-100, in their order. */
const cifar100 =
  'apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm'.split(
    ' ',
  )

export interface Pictured {
  classes: string[]
  /** Side of an image in pixels. */
  size: number
  channels: number
  /** Images of the training and of the test set; each has as many of every class. */
  train: number
  test: number
}

/** By dataset id. */
export const pictured = {
  'fashion-mnist': { classes: clothes, size: 28, channels: 1, train: 60_000, test: 10_000 },
  'fashion-mnist-5k': { classes: clothes, size: 28, channels: 1, train: 5_000, test: 2_000 },
  'fashion-mnist-5k-16': { classes: clothes, size: 16, channels: 1, train: 5_000, test: 2_000 },
  cifar10: {
    classes: ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'],
    size: 32,
    channels: 3,
    train: 50_000,
    test: 10_000,
  },
  cifar100: { classes: cifar100, size: 32, channels: 3, train: 50_000, test: 10_000 },
  stl10: {
    classes: ['airplane', 'bird', 'car', 'cat', 'deer', 'dog', 'horse', 'monkey', 'ship', 'truck'],
    size: 96,
    channels: 3,
    train: 5_000,
    test: 8_000,
  },
} satisfies Record<string, Pictured>

/** Datasets whose files are held against no hash of ours: a user's own, and folders of pictures that everybody unpacks. A benchmark of
 *  them is pinned by the digest of their images. */
const unpinned = ['image-folder', 'image-npz', 'imagenette', 'tiny-imagenet'] as const
export const isUnpinned = ({ id }: { id: string }): boolean => (unpinned as readonly string[]).includes(id)

/** Datasets of which nothing is known here: those, and one whose classes have unequal shares of its images. */
export const unpictured = [...unpinned, 'svhn'] as const

/** What is known of a dataset's images; undefined for a user's own. */
export const picturedOf = ({ id }: { id: string }): Pictured | undefined => (pictured as Record<string, Pictured>)[id]
